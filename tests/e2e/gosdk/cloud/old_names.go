//go:build !renamed

// The names of the calls before v20250312007, and how a client signs in.
package main

import (
	"context"
	"net/http"

	"go.mongodb.org/atlas-sdk/ATLAS_SDK_VERSION/admin"
)

func newCloud(ctx context.Context) cloud {
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")),
		admin.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("create the client", err)
	return cloud{ctx, client.CloudBackupsApi, setting("GROUP_ID"), setting("CLUSTER")}
}

func (c cloud) takeSnapshot(body *admin.DiskBackupOnDemandSnapshotRequest) (*admin.DiskBackupSnapshot, *http.Response, error) {
	return c.api.TakeSnapshot(c.ctx, c.group, c.cluster, body).Execute()
}

func (c cloud) getSnapshot(id string) (*admin.DiskBackupReplicaSet, *http.Response, error) {
	return c.api.GetReplicaSetBackup(c.ctx, c.group, c.cluster, id).Execute()
}

func (c cloud) listSnapshots() (*admin.PaginatedCloudBackupReplicaSet, *http.Response, error) {
	return c.api.ListReplicaSetBackups(c.ctx, c.group, c.cluster).Execute()
}

func (c cloud) changeRetention(id string, body *admin.BackupSnapshotRetention) (*admin.DiskBackupReplicaSet, *http.Response, error) {
	return c.api.UpdateSnapshotRetention(c.ctx, c.group, c.cluster, id, body).Execute()
}

func (c cloud) deleteSnapshot(id string) error {
	_, _, err := c.api.DeleteReplicaSetBackup(c.ctx, c.group, c.cluster, id).Execute()
	return err
}

func (c cloud) getSharded(id string) (*admin.DiskBackupShardedClusterSnapshot, *http.Response, error) {
	return c.api.GetShardedClusterBackup(c.ctx, c.group, c.cluster, id).Execute()
}

func (c cloud) listSharded() (*admin.PaginatedCloudBackupShardedClusterSnapshot, *http.Response, error) {
	return c.api.ListShardedClusterBackups(c.ctx, c.group, c.cluster).Execute()
}

func (c cloud) cancelJob(id string) error {
	_, _, err := c.api.CancelBackupRestoreJob(c.ctx, c.group, c.cluster, id).Execute()
	return err
}
