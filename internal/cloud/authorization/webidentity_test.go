package authorization_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/store"
)

// issuer is an OpenID Connect provider.
type issuer struct {
	url string // without the scheme
	key *ecdsa.PrivateKey
}

func (w *world) issuer(url string) *issuer {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	w.keys[url], err = json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "EC", "kid": "1", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	in := &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://" + url), ClientIDList: []string{"shop"},
		ThumbprintList: []string{strings.Repeat("a", 40)},
	}
	_, err = iam.NewFromConfig(w.root()).CreateOpenIDConnectProvider(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return &issuer{url, key}
}

// token returns a token with the usual claims and others.
func (i *issuer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	all := map[string]any{
		"iss": "https://" + i.url, "sub": "repo:shop", "aud": "shop", "iat": time.Now().Unix(),
		"exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(all, claims)
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"ES256","kid":"1"}`)) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature)
}

func TestTokensOfProvidersAssumeRoles(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/red/key", "x")
	const url = "issuer.example/tenant"
	i := w.issuer(url)
	other := &issuer{url: url, key: w.issuer("other.example").key}
	unknown := &issuer{url: "unknown.example", key: i.key}
	w.role("web", allow("ssm:GetParameter", parameters+"/${aws:PrincipalTag/team}/*")+","+allow("sts:*", "*"),
		func(r *store.Role) {
			r.Trust = policy(`{"Effect":"Allow","Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"],
				"Principal":{"Federated":"arn:aws:iam::000000000000:oidc-provider/` + url + `"},
				"Condition":{"StringLike":{"` + url + `:sub":"repo:shop*"},"StringEquals":{"` + url + `:aud":"shop"}}},
				{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"000000000000"}}`)
		})
	assume := func(token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		anonymous := w.as("", "", "")
		anonymous.Credentials = aws.AnonymousCredentials{}
		return sts.NewFromConfig(anonymous).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::000000000000:role/web"), RoleSessionName: aws.String("test"),
			WebIdentityToken: &token,
		})
	}
	team := map[string]any{"https://aws.amazon.com/tags": map[string]any{
		"principal_tags": map[string][]string{"team": {"red"}},
	}}
	out, err := assume(i.token(t, team))
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != me || *out.Audience != "shop" || *out.SubjectFromWebIdentityToken != "repo:shop" ||
		*out.Provider != "arn:aws:iam::000000000000:oidc-provider/"+url {
		t.Errorf("got %+v", out)
	}
	c := w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	w.want("the session", getParameter(ctx, c, "/red/key"), "")

	const unverified = "InvalidIdentityToken: The signature of the token is not valid."
	for name, test := range map[string]struct{ token, want string }{
		"another subject": {
			i.token(t, map[string]any{"sub": "repo:bank"}),
			"AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
		},
		"another key": {other.token(t, nil), unverified},
		"another audience": {
			i.token(t, map[string]any{"aud": "bank"}), "InvalidIdentityToken: Incorrect token audience",
		},
		"another party": {
			i.token(t, map[string]any{"azp": "bank"}), "InvalidIdentityToken: Incorrect token audience",
		},
		"another issuer": {
			unknown.token(t, nil),
			"InvalidIdentityToken: No OpenIDConnect provider found in your account for https://unknown.example",
		},
		"no subject": {
			i.token(t, map[string]any{"sub": ""}), "InvalidIdentityToken: Missing a required claim: sub",
		},
		"a source identity that the trust does not mention": {
			i.token(t, map[string]any{"https://aws.amazon.com/source_identity": "ada"}),
			"AccessDenied: Not authorized to perform sts:SetSourceIdentity",
		},
		"no token": {
			"abcd", "InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you " +
				"sent an Access Token)",
		},
	} {
		_, err := assume(test.token)
		w.want(name, err, test.want)
	}
	if _, err := assume(i.token(t, map[string]any{"exp": time.Now().Unix()})); !strings.HasPrefix(
		refusal(err), "ExpiredTokenException: Token expired",
	) {
		t.Errorf("an expired token: %v", err)
	}
	w.keys[url] = nil
	if _, err := assume(i.token(t, nil)); !strings.HasPrefix(refusal(err), "InvalidIdentityToken: Couldn't retrieve") {
		t.Errorf("without keys: %v", err)
	}
}

func TestOtherOperationsNeedASignature(t *testing.T) {
	w := newWorld(t)
	body := "Action=GetCallerIdentity&Version=2011-06-15"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("got status %d", response.StatusCode)
	}
}
