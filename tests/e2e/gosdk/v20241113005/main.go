package main

import (
	"context"
	"net/http"

	"go.mongodb.org/atlas-sdk/v20241113005/admin"
	"go.mongodb.org/atlas-sdk/v20241113005/auth/clientcredentials"
)

func newClient(ctx context.Context) (*admin.APIClient, func(context.Context, *admin.APIClient)) {
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")), // first: the token's URL is taken from it
		admin.UseOAuthAuth(ctx, setting("CLIENT_ID"), setting("CLIENT_SECRET")))
	check("create the client", err)
	return client, checkRevoke
}

func statusWith(token string) int {
	path := "/api/atlas/v2/groups/" + setting("GROUP_ID") + "/clusters/" + setting("CLUSTER") + "/backup/tenant/restores"
	request, err := http.NewRequest(http.MethodGet, setting("BASE_URL")+path, http.NoBody)
	check("make a request", err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept", "application/vnd.atlas.2023-01-01+json")
	response, err := http.DefaultTransport.RoundTrip(request)
	check("send a request", err)
	defer response.Body.Close()
	return response.StatusCode
}

// A token of its own: works, is revoked by the SDK's own call, is refused.
func checkRevoke(ctx context.Context, _ *admin.APIClient) {
	config := clientcredentials.NewConfig(setting("CLIENT_ID"), setting("CLIENT_SECRET"))
	config.TokenURL = setting("BASE_URL") + clientcredentials.TokenAPIPath
	config.RevokeURL = setting("BASE_URL") + clientcredentials.RevokeAPIPath
	token, err := config.Token(ctx)
	check("fetch a token", err)
	if status := statusWith(token.AccessToken); status != http.StatusOK {
		fail("a fresh token: status %d", status)
	}
	if err := config.RevokeToken(ctx, token); err != nil {
		fail("revoke the token: %v", err)
	}
	if status := statusWith(token.AccessToken); status != http.StatusUnauthorized {
		fail("a revoked token: status %d", status)
	}
}
