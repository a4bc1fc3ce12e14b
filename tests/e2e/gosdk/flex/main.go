// Drives projects, clusters and flex clusters as a user of the Atlas Go SDK does, and prints what it saw as one line of
// JSON. Exits with 1 and a reason at the first deviation. gosdk.sh replaces the SDK version below.
package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"go.mongodb.org/atlas-sdk/ATLAS_SDK_VERSION/admin"
)

type result struct {
	Projects      int      `json:"projects"`
	Clusters      []string `json:"clusters"`
	Address       string   `json:"address"`
	Provider      string   `json:"provider"`
	FlexClusters  []string `json:"flexClusters"`
	FlexAddress   string   `json:"flexAddress"`
	Snapshots     []string `json:"snapshots"`
	Bytes         int64    `json:"bytes"`
	FirstStatus   string   `json:"firstStatus"`
	LastStatus    string   `json:"lastStatus"`
	Restores      []string `json:"restores"`
	RestoreID     string   `json:"restoreId"`
	DownloadID    string   `json:"downloadId"`
	RestoreExpiry string   `json:"restoreExpiry"`
}

func checkAnswer(doing string, response *http.Response, err error) {
	check(doing, err)
	if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/vnd.atlas.20") {
		fail("%s: content type %q", doing, got)
	}
}

func checkCode(doing string, response *http.Response, err error, status int, code string) {
	if response == nil || response.StatusCode != status || !admin.IsErrorCode(err, code) {
		fail("%s: not %d %s but %v", doing, status, code, err)
	}
}

func readProjects(ctx context.Context, client *admin.APIClient, seen *result) {
	all, response, err := listProjects(ctx, client)
	checkAnswer("list projects", response, err)
	own, response, err := listProjectsOfOrganization(ctx, client)
	checkAnswer("list the organization's projects", response, err)
	if own.GetTotalCount() != all.GetTotalCount() {
		fail("%d projects, %d of the organization", all.GetTotalCount(), own.GetTotalCount())
	}
	one, response, err := getProject(ctx, client)
	checkAnswer("get project", response, err)
	if one.GetId() != setting("GROUP_ID") || one.GetOrgId() != setting("ORG_ID") {
		fail("get project: %s of %s", one.GetId(), one.GetOrgId())
	}
	seen.Projects = all.GetTotalCount()
}

func readClusters(ctx context.Context, client *admin.APIClient, seen *result) {
	list, response, err := client.ClustersApi.ListClusters(ctx, setting("GROUP_ID")).Execute()
	checkAnswer("list clusters", response, err)
	for _, cluster := range list.GetResults() {
		seen.Clusters = append(seen.Clusters, cluster.GetName())
	}
	cluster, response, err := client.ClustersApi.GetCluster(ctx, setting("GROUP_ID"), setting("CLUSTER")).Execute()
	checkAnswer("get cluster", response, err)
	if cluster.GetStateName() != "IDLE" {
		fail("get cluster: state %q", cluster.GetStateName())
	}
	strings := cluster.GetConnectionStrings()
	seen.Address = strings.GetStandard()
	specs := cluster.GetReplicationSpecs()
	if len(specs) != 1 || len(specs[0].GetRegionConfigs()) != 1 || specs[0].GetZoneName() == "" {
		fail("get cluster: replication specs %v", specs)
	}
	region := specs[0].GetRegionConfigs()[0]
	seen.Provider = region.GetProviderName()
	_, response, err = getProcessArgs(ctx, client)
	checkAnswer("get process args", response, err)
	_, response, err = client.ClustersApi.GetCluster(ctx, setting("GROUP_ID"), setting("FLEX")).Execute()
	checkCode("get a flex cluster as a cluster", response, err, 400, "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API")
	_, response, err = client.ClustersApi.GetCluster(ctx, setting("GROUP_ID"), "Nobody").Execute()
	checkCode("get an unknown cluster", response, err, 404, "CLUSTER_NOT_FOUND")
}

func readFlexClusters(ctx context.Context, client *admin.APIClient, seen *result) {
	list, response, err := client.FlexClustersApi.ListFlexClusters(ctx, setting("GROUP_ID")).Execute()
	checkAnswer("list flex clusters", response, err)
	for _, cluster := range list.GetResults() {
		seen.FlexClusters = append(seen.FlexClusters, cluster.GetName())
	}
	cluster, response, err := client.FlexClustersApi.GetFlexCluster(ctx, setting("GROUP_ID"), setting("FLEX")).Execute()
	checkAnswer("get flex cluster", response, err)
	strings := cluster.GetConnectionStrings()
	seen.FlexAddress = strings.GetStandard()
	settings := cluster.GetProviderSettings()
	if settings.GetProviderName() != "FLEX" || settings.GetRegionName() == "" {
		fail("get flex cluster: provider %q, region %q", settings.GetProviderName(), settings.GetRegionName())
	}
	_, response, err = client.FlexClustersApi.GetFlexCluster(ctx, setting("GROUP_ID"), setting("CLUSTER")).Execute()
	checkCode("get a cluster as a flex cluster", response, err, 400, "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API")
}

func readSnapshots(ctx context.Context, client *admin.APIClient, seen *result) {
	list, response, err := listSnapshots(ctx, client)
	checkAnswer("list snapshots", response, err)
	for _, snapshot := range list.GetResults() {
		seen.Snapshots = append(seen.Snapshots, snapshot.GetId())
	}
	one, response, err := getSnapshot(ctx, client, setting("SNAPSHOT_ID"))
	checkAnswer("get snapshot", response, err)
	if one.GetStatus() != "COMPLETED" || one.GetFinishTime().IsZero() || one.GetMongoDBVersion() == "" {
		fail("get snapshot: %v", one)
	}
	_, response, err = getSnapshot(ctx, client, "0123456789abcdef01234567")
	checkCode("get an unknown snapshot", response, err, 404, "TENANT_SNAPSHOT_NOT_FOUND")
}

func download(ctx context.Context, client *admin.APIClient, seen *result) {
	body := &admin.FlexBackupSnapshotDownloadCreate20241113{SnapshotId: setting("SNAPSHOT_ID")}
	job, response, err := client.FlexSnapshotsApi.
		DownloadFlexBackup(ctx, setting("FLEX"), setting("GROUP_ID"), body).Execute()
	checkAnswer("download a snapshot", response, err)
	if job.GetStatus() != "COMPLETED" || job.GetDeliveryType() != "DOWNLOAD" {
		fail("download a snapshot: %s %s", job.GetDeliveryType(), job.GetStatus())
	}
	seen.DownloadID = job.GetId()
	answer, err := http.Get(job.GetSnapshotUrl()) // without credentials
	check("fetch the archive", err)
	defer answer.Body.Close()
	if seen.Bytes, err = io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		fail("fetch the archive: status %d, %v", answer.StatusCode, err)
	}
}

func restore(ctx context.Context, client *admin.APIClient, seen *result) {
	project := setting("GROUP_ID")
	job, response, err := createRestore(ctx, client, &admin.FlexBackupRestoreJobCreate20241113{
		SnapshotId:               setting("SNAPSHOT_ID"),
		TargetDeploymentItemName: setting("TARGET"),
		TargetProjectId:          &project,
	})
	checkAnswer("create restore job", response, err)
	seen.FirstStatus, seen.RestoreID = job.GetStatus(), job.GetId()
	seen.RestoreExpiry = job.GetExpirationDate().Sub(job.GetRestoreScheduledDate()).String()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		job, response, err = getRestore(ctx, client, seen.RestoreID)
		checkAnswer("get restore job", response, err)
		seen.LastStatus = job.GetStatus()
		if seen.LastStatus == "COMPLETED" || seen.LastStatus == "FAILED" {
			break
		}
	}
	list, response, err := listRestores(ctx, client)
	checkAnswer("list restore jobs", response, err)
	for _, job := range list.GetResults() {
		seen.Restores = append(seen.Restores, job.GetId())
	}
	_, response, err = getRestore(ctx, client, "0123456789abcdef01234567")
	checkCode("get an unknown restore job", response, err, 404, "TENANT_RESTORE_NOT_FOUND")
}

func main() {
	ctx := context.Background()
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")), // first: the token's URL is taken from it
		admin.UseOAuthAuth(ctx, setting("CLIENT_ID"), setting("CLIENT_SECRET")))
	check("create the client", err)
	var seen result
	readProjects(ctx, client, &seen)
	readClusters(ctx, client, &seen)
	readFlexClusters(ctx, client, &seen)
	readSnapshots(ctx, client, &seen)
	download(ctx, client, &seen)
	restore(ctx, client, &seen)
	printResult(seen)
}
