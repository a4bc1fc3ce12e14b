//go:build renamed

// The names of the calls from v20250312007 on.
package main

import (
	"context"
	"net/http"

	"go.mongodb.org/atlas-sdk/ATLAS_SDK_VERSION/admin"
)

func listSnapshots(ctx context.Context, client *admin.APIClient) (*admin.PaginatedApiAtlasFlexBackupSnapshot20241113, *http.Response, error) {
	return client.FlexSnapshotsApi.ListFlexBackupSnapshots(ctx, setting("GROUP_ID"), setting("FLEX")).Execute()
}

func getSnapshot(ctx context.Context, client *admin.APIClient, id string) (*admin.FlexBackupSnapshot20241113, *http.Response, error) {
	return client.FlexSnapshotsApi.GetFlexBackupSnapshot(ctx, setting("GROUP_ID"), setting("FLEX"), id).Execute()
}

func listRestores(ctx context.Context, client *admin.APIClient) (*admin.PaginatedApiAtlasFlexBackupRestoreJob20241113, *http.Response, error) {
	return client.FlexRestoreJobsApi.ListFlexRestoreJobs(ctx, setting("GROUP_ID"), setting("FLEX")).Execute()
}

func getRestore(ctx context.Context, client *admin.APIClient, id string) (*admin.FlexBackupRestoreJob20241113, *http.Response, error) {
	return client.FlexRestoreJobsApi.GetFlexRestoreJob(ctx, setting("GROUP_ID"), setting("FLEX"), id).Execute()
}

func createRestore(ctx context.Context, client *admin.APIClient, body *admin.FlexBackupRestoreJobCreate20241113) (*admin.FlexBackupRestoreJob20241113, *http.Response, error) {
	return client.FlexRestoreJobsApi.CreateFlexRestoreJob(ctx, setting("GROUP_ID"), setting("FLEX"), body).Execute()
}

func getProject(ctx context.Context, client *admin.APIClient) (*admin.Group, *http.Response, error) {
	return client.ProjectsApi.GetGroup(ctx, setting("GROUP_ID")).Execute()
}

func listProjects(ctx context.Context, client *admin.APIClient) (*admin.PaginatedAtlasGroup, *http.Response, error) {
	return client.ProjectsApi.ListGroups(ctx).Execute()
}

func listProjectsOfOrganization(ctx context.Context, client *admin.APIClient) (*admin.PaginatedAtlasGroup, *http.Response, error) {
	return client.OrganizationsApi.GetOrgGroups(ctx, setting("ORG_ID")).Execute()
}

func getProcessArgs(ctx context.Context, client *admin.APIClient) (*admin.ClusterDescriptionProcessArgs20240805, *http.Response, error) {
	return client.ClustersApi.GetProcessArgs(ctx, setting("GROUP_ID"), setting("CLUSTER")).Execute()
}
