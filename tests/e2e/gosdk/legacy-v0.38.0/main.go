// Drives the legacy restore jobs as a user of the v1.0 client does, and prints what it saw as one line of JSON. Exits
// with 1 and a reason at the first deviation.
package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/mongodb-forks/digest"
	"go.mongodb.org/atlas/mongodbatlas"
)

type result struct {
	Method        string `json:"method"`
	Status        string `json:"status"`
	MaxDownloads  int64  `json:"maxDownloads"`
	Bytes         int64  `json:"bytes"`
	Hash          string `json:"hash"`
	RestoreStatus string `json:"restoreStatus"`
	Listed        int    `json:"listed"`
	UnknownCode   string `json:"unknownCode"`
}

func create(ctx context.Context, client *mongodbatlas.Client, delivery mongodbatlas.Delivery) *mongodbatlas.ContinuousJob {
	jobs, _, err := client.ContinuousRestoreJobs.Create(ctx, setting("GROUP_ID"), setting("CLUSTER"),
		&mongodbatlas.ContinuousJobRequest{SnapshotID: setting("SNAPSHOT_ID"), Delivery: delivery})
	if err != nil {
		fail("create a restore job by %s: %v", delivery.MethodName, err)
	}
	if len(jobs.Results) != 1 {
		fail("create a restore job by %s: %d jobs", delivery.MethodName, len(jobs.Results))
	}
	return jobs.Results[0]
}

func get(ctx context.Context, client *mongodbatlas.Client, id string) *mongodbatlas.ContinuousJob {
	job, _, err := client.ContinuousRestoreJobs.Get(ctx, setting("GROUP_ID"), setting("CLUSTER"), id)
	if err != nil {
		fail("get restore job %s: %v", id, err)
	}
	return job
}

func download(ctx context.Context, client *mongodbatlas.Client, seen *result) {
	job := create(ctx, client, mongodbatlas.Delivery{MethodName: "HTTP", ExpirationHours: 1, MaxDownloads: 5})
	seen.Method, seen.Status, seen.MaxDownloads = job.Delivery.MethodName, job.StatusName, job.Delivery.MaxDownloads
	response, err := http.Get(job.Delivery.URL)
	check("fetch the archive", err)
	defer response.Body.Close()
	if seen.Bytes, err = io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		fail("fetch the archive: status %d, %v", response.StatusCode, err)
	}
	if hashes := get(ctx, client, job.ID).Hashes; len(hashes) == 1 {
		seen.Hash = hashes[0].Hash
	}
}

func restore(ctx context.Context, client *mongodbatlas.Client, seen *result) {
	job := create(ctx, client, mongodbatlas.Delivery{
		MethodName: "AUTOMATED_RESTORE", TargetGroupID: setting("TARGET_GROUP_ID"), TargetClusterName: setting("TARGET")})
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		seen.RestoreStatus = get(ctx, client, job.ID).StatusName
		if seen.RestoreStatus != "IN_PROGRESS" {
			return
		}
	}
	fail("restore job %s is still %s", job.ID, seen.RestoreStatus)
}

func main() {
	ctx := context.Background()
	web, err := digest.NewTransport(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")).Client()
	check("create the client", err)
	client, err := mongodbatlas.New(web, mongodbatlas.SetBaseURL(setting("BASE_URL")+"/"))
	check("create the client", err)
	var seen result
	download(ctx, client, &seen)
	restore(ctx, client, &seen)
	jobs, _, err := client.ContinuousRestoreJobs.List(ctx, setting("GROUP_ID"), setting("CLUSTER"), nil)
	check("list restore jobs", err)
	seen.Listed = len(jobs.Results)
	_, _, err = client.ContinuousRestoreJobs.Get(ctx, setting("GROUP_ID"), setting("CLUSTER"), "0123456789abcdef01234567")
	if refused, ok := err.(*mongodbatlas.ErrorResponse); ok {
		seen.UnknownCode = refused.ErrorCode
	}
	printResult(seen)
}
