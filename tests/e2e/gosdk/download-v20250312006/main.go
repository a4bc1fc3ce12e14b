// Asks for a tenant download as a user of the Atlas Go SDK does, fetches it without credentials, and prints what it
// saw as one line of JSON. Exits with 1 and a reason at the first deviation.
package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

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

func setting(name string) string {
	value := os.Getenv(name)
	if value == "" {
		fail("environment variable %s is missing", name)
	}
	return value
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func fetch(url string, seen *result) {
	response, err := http.Get(url)
	if err != nil {
		fail("fetch the archive: %v", err)
	}
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
	if err != nil {
		fail("create the client: %v", err)
	}
	job, _, err := client.SharedTierSnapshotsApi.DownloadSharedClusterBackup(
		ctx, setting("CLUSTER"), setting("GROUP_ID"), &admin.TenantRestore{SnapshotId: setting("SNAPSHOT_ID")}).Execute()
	if err != nil {
		fail("ask for the download: %v", err)
	}
	seen := result{
		ID:           job.GetId(),
		DeliveryType: job.GetDeliveryType(),
		Status:       job.GetStatus(),
		Target:       job.GetTargetDeploymentItemName(),
	}
	fetch(job.GetSnapshotUrl(), &seen)
	page, _, err := client.SharedTierRestoreJobsApi.
		ListSharedClusterBackupRestoreJobs(ctx, setting("CLUSTER"), setting("GROUP_ID")).Execute()
	if err != nil {
		fail("list restore jobs: %v", err)
	}
	for _, listed := range page.GetResults() {
		seen.Listed = seen.Listed || listed.GetId() == seen.ID && listed.GetSnapshotUrl() == job.GetSnapshotUrl()
	}
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		fail("print the result: %v", err)
	}
}
