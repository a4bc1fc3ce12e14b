// Asks for a tenant download as a user of the Atlas Go SDK does, fetches it without credentials, and prints what it
// saw as one line of JSON. Exits with 1 and a reason at the first deviation.
package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net/http"

	"go.mongodb.org/atlas-sdk/v20250312006/admin"
)

type result struct {
	ID           string `json:"id"`
	DeliveryType string `json:"deliveryType"`
	Status       string `json:"status"`
	Target       string `json:"target"`
	Bytes        int64  `json:"bytes"`
	SHA1         string `json:"sha1"`
	Listed       bool   `json:"listed"`
}

func fetch(url string, seen *result) {
	response, err := http.Get(url)
	check("fetch the archive", err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Uncompressed {
		fail("fetch the archive: status %d, uncompressed %v", response.StatusCode, response.Uncompressed)
	}
	hash := sha1.New()
	if seen.Bytes, err = io.Copy(hash, response.Body); err != nil {
		fail("read the archive: %v", err)
	}
	seen.SHA1 = hex.EncodeToString(hash.Sum(nil))
}

func main() {
	ctx := context.Background()
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")), // first: the token's URL is taken from it
		admin.UseOAuthAuth(ctx, setting("CLIENT_ID"), setting("CLIENT_SECRET")))
	check("create the client", err)
	job, _, err := client.SharedTierSnapshotsApi.DownloadSharedClusterBackup(
		ctx, setting("CLUSTER"), setting("GROUP_ID"), &admin.TenantRestore{SnapshotId: setting("SNAPSHOT_ID")}).Execute()
	check("ask for the download", err)
	seen := result{
		ID:           job.GetId(),
		DeliveryType: job.GetDeliveryType(),
		Status:       job.GetStatus(),
		Target:       job.GetTargetDeploymentItemName(),
	}
	fetch(job.GetSnapshotUrl(), &seen)
	page, _, err := client.SharedTierRestoreJobsApi.
		ListSharedClusterBackupRestoreJobs(ctx, setting("CLUSTER"), setting("GROUP_ID")).Execute()
	check("list restore jobs", err)
	for _, listed := range page.GetResults() {
		seen.Listed = seen.Listed || listed.GetId() == seen.ID && listed.GetSnapshotUrl() == job.GetSnapshotUrl()
	}
	printResult(seen)
}
