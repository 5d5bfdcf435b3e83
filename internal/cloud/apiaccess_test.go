//go:build linux

package cloud

import (
	"context"
	"errors"
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/wire"
)

func TestWhatSurroundsOperationsIsNested(t *testing.T) {
	var ran []string
	step := func(name string, err error) wire.Around {
		return func(ctx context.Context, _ wire.Call, next func(context.Context) (any, error)) (any, error) {
			ran = append(ran, name)
			if err != nil {
				return nil, err
			}
			return next(ctx)
		}
	}
	operation := func(context.Context) (any, error) { ran = append(ran, "operation"); return 1, nil }
	out, err := nested(step("outer", nil), step("inner", nil))(t.Context(), wire.Call{}, operation)
	if out != 1 || err != nil || !slices.Equal(ran, []string{"outer", "inner", "operation"}) {
		t.Errorf("got %v, %v after %v", out, err, ran)
	}
	ran = nil
	denied := errors.New("denied")
	_, err = nested(step("outer", denied), step("inner", nil))(t.Context(), wire.Call{}, operation)
	if !errors.Is(err, denied) || !slices.Equal(ran, []string{"outer"}) {
		t.Errorf("got %v after %v", err, ran)
	}
}

func TestTheAccountsKeyHasNoSessionToken(t *testing.T) {
	c := host.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "s"}
	if key, err := rootKey(c, ""); err != nil || key.Secret != "s" || key.Principal.Session != nil {
		t.Errorf("got %+v, %v", key, err)
	}
	if key, err := rootKey(c, "token"); !errors.Is(err, wire.ErrUnknownKey) || key.Secret != "" {
		t.Errorf("with a token: got %+v, %v", key, err)
	}
}
