package iam

import (
	"context"
	"maps"
	"slices"

	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
)

// putInline adds an inline policy or replaces it.
func (a *API) putInline(ctx context.Context, h holder, name, policy, document *string) error {
	if err := h.check(name, policy); err != nil {
		return err
	}
	if _, err := parse(policydocument.Identity, "policyDocument", document); err != nil {
		return err
	}
	return h.edit(a, ctx, name, func(_ *store.Tx, name string, p *store.Permissions) error {
		inline := maps.Clone(p.Inline)
		if inline == nil {
			inline = map[string]string{}
		}
		inline[*policy] = *document
		size := 0
		for text := range maps.Values(inline) {
			size += sizeOf(text)
		}
		if size > h.inline {
			return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", h.inline, h.kind, name)
		}
		p.Inline = inline
		return nil
	})
}

// check refuses the names of a holder and of an inline policy that are malformed.
func (h holder) check(name, policy *string) error {
	if err := h.checkName(name); err != nil {
		return err
	}
	return checkName("policyName", policy, maxName)
}

func (h holder) noSuchInline(name string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", h.kind, name)
}

// inline returns the name of a holder and the document of one of its inline policies.
func (a *API) inline(ctx context.Context, h holder, name, policy *string) (holderName, document *string, err error) {
	if err := h.check(name, policy); err != nil {
		return nil, nil, err
	}
	found, permissions, err := h.find(ctx, a.Store.Read(ctx), name)
	if err != nil {
		return nil, nil, err
	}
	text, ok := permissions.Inline[*policy]
	if !ok {
		return nil, nil, h.noSuchInline(*policy)
	}
	return &found, encoded(text), nil
}

// listInline lists the names of the inline policies of a holder.
func (a *API) listInline(ctx context.Context, h holder, name, marker *string, size *int32) (list[string], error) {
	_, permissions, err := h.find(ctx, a.Store.Read(ctx), name)
	if err != nil {
		return list[string]{}, err
	}
	page, err := paginate(slices.Collect(maps.Keys(permissions.Inline)), itself, marker, size)
	page.items = convert(page.items, itself)
	return page, err
}

// deleteInline deletes an inline policy.
func (a *API) deleteInline(ctx context.Context, h holder, name, policy *string) error {
	if err := h.check(name, policy); err != nil {
		return err
	}
	return h.edit(a, ctx, name, func(_ *store.Tx, _ string, p *store.Permissions) error {
		if _, ok := p.Inline[*policy]; !ok {
			return h.noSuchInline(*policy)
		}
		p.Inline = maps.Clone(p.Inline)
		delete(p.Inline, *policy)
		return nil
	})
}
