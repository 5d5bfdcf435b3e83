package main

import (
	"os"
	"testing"
)

func TestTablesAreUpToDate(t *testing.T) {
	for _, s := range services {
		want, err := table(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../" + s.signing + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s.txt is out of date: run go generate ./internal/cloud/wire/names", s.signing)
		}
	}
}
