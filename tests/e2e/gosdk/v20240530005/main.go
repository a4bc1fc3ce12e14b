package main

import (
	"context"

	"go.mongodb.org/atlas-sdk/v20240530005/admin"
)

func newClient(context.Context) (*admin.APIClient, func(context.Context, *admin.APIClient)) {
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")),
		admin.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("create the client", err)
	return client, func(context.Context, *admin.APIClient) {}
}
