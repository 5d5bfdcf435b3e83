package spec

import "testing"

func TestNameOfAFolderIsNotCutWithinAWord(t *testing.T) {
	for folder, want := range map[string]string{
		"shop":                                "shop",
		"My Shop.API":                         "my-shop-api",
		"2024-shop":                           "shop",
		"nestjs-typescript-starter-kit":       "nestjs-typescript-starter",
		"nestjs-typescript-starters":          "nestjs-typescript",
		"anextraordinarilylongwordwithoutany": "anextraordinarilylongword",
		"_":                                   "app",
	} {
		if got := appName("/home/me/" + folder); got != want {
			t.Errorf("%s: %s, want %s", folder, got, want)
		}
	}
}
