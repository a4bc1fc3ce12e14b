// Reads the names in a snapshot and restores a collection with the Atlas Go SDK, and prints what it saw as one line of
// JSON. The release of the SDK that is used has no types for these operations yet: its untyped client makes the calls,
// with the SDK's own credentials, encoding and errors. Exits with 1 and a reason at the first deviation.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"time"

	"go.mongodb.org/atlas-sdk/v20250312020/admin"
)

const mediaType = "application/vnd.atlas.2025-03-12+json"

type result struct {
	Databases   []string `json:"databases"`
	Collections []string `json:"collections"`
	Status      int      `json:"status"`
	State       string   `json:"state"`
	Effective   string   `json:"effective"`
	Listed      int      `json:"listed"`
	Missing     string   `json:"missing"`
}

type named struct {
	Name string `json:"name"`
}

type names struct {
	Results    []named `json:"results"`
	TotalCount int     `json:"totalCount"`
}

type job struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Error string `json:"errorMessage"`
}

type collection struct {
	Source    string `json:"sourceNamespace"`
	Effective string `json:"effectiveTargetNamespace"`
	State     string `json:"state"`
	Restored  int64  `json:"restoredDocuments"`
	Total     int64  `json:"totalDocuments"`
}

type caller struct {
	ctx    context.Context
	client *admin.APIClient
	base   string
}

func newCaller(ctx context.Context) *caller {
	options := []admin.ClientModifier{admin.UseBaseURL(setting("BASE_URL"))}
	if id := os.Getenv("CLIENT_ID"); id != "" {
		options = append(options, admin.UseOAuthAuth(ctx, id, setting("CLIENT_SECRET")))
	} else {
		options = append(options, admin.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	}
	client, err := admin.NewClient(options...)
	check("make the client", err)
	base := setting("BASE_URL") + "/api/atlas/v2/groups/" + setting("GROUP_ID") + "/clusters/" + setting("CLUSTER")
	return &caller{ctx, client, base}
}

// The answer's status; its body goes into `into`. An error is the SDK's.
func (c *caller) try(method, path string, query url.Values, body, into any) (int, error) {
	headers := map[string]string{"Accept": mediaType}
	if body != nil {
		headers["Content-Type"] = mediaType
	}
	untyped := c.client.UntypedClient
	request, err := untyped.PrepareRequest(c.ctx, c.base+path, method, body, headers, query, url.Values{}, nil)
	if err != nil {
		fail("%s %s: %v", method, path, err)
	}
	answer, err := untyped.CallAPI(request)
	if err != nil {
		fail("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		return answer.StatusCode, untyped.MakeApiError(answer, method, path)
	}
	decoder := json.NewDecoder(answer.Body)
	if err := decoder.Decode(into); err != nil {
		fail("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, nil
}

func (c *caller) do(method, path string, query url.Values, body, into any) int {
	status, err := c.try(method, path, query, body, into)
	if err != nil {
		fail("%s %s: %v", method, path, err)
	}
	return status
}

func (c *caller) get(path string, into any) {
	c.do(http.MethodGet, path, url.Values{"pageNum": {"1"}, "itemsPerPage": {"100"}}, nil, into)
}

func readNames(c *caller, seen *result) {
	databases := "/backup/snapshots/" + setting("SNAPSHOT_ID") + "/databases"
	var list names
	c.get(databases, &list)
	for _, row := range list.Results {
		seen.Databases = append(seen.Databases, row.Name)
	}
	var one named
	c.get(databases+"/shop", &one)
	list = names{}
	c.get(databases+"/shop/collections", &list)
	for _, row := range list.Results {
		seen.Collections = append(seen.Collections, row.Name)
	}
	c.get(databases+"/shop/collections/"+url.PathEscape("orders"), &one)
	if one.Name != "orders" {
		fail("get a collection: %+v", one)
	}
	_, err := c.try(http.MethodGet, databases+"/nothing", url.Values{}, nil, &one)
	if refused, ok := admin.AsError(err); ok {
		seen.Missing = refused.GetErrorCode()
	}
}

func restore(c *caller, seen *result) {
	body := map[string]any{
		"snapshotId": setting("SNAPSHOT_ID"), "targetClusterName": setting("TARGET"),
		"targetGroupId": setting("GROUP_ID"), "writeStrategy": "CREATE_NEW", "indexStrategy": "ALL",
		"collectionSuffix": "_go",
		"collections":      []map[string]string{{"sourceNamespace": "shop.orders"}},
	}
	var now job
	seen.Status = c.do(http.MethodPost, "/collectionRestoreJobs", url.Values{}, body, &now)
	path := "/collectionRestoreJobs/" + now.ID
	for deadline := time.Now().Add(2 * time.Minute); now.State != "SUCCESSFUL" && now.State != "FAILED"; {
		if time.Now().After(deadline) {
			fail("job %s stays %s", now.ID, now.State)
		}
		time.Sleep(200 * time.Millisecond)
		c.get(path, &now)
	}
	if now.State != "SUCCESSFUL" {
		fail("job %s: %s", now.ID, now.Error)
	}
	seen.State = now.State
	var jobs struct {
		TotalCount int `json:"totalCount"`
	}
	c.get("/collectionRestoreJobs", &jobs)
	seen.Listed = jobs.TotalCount
	var rows struct {
		Results []collection `json:"results"`
	}
	c.get(path+"/collections", &rows)
	var row collection
	c.get(path+"/collections/"+url.PathEscape("shop.orders"), &row)
	if len(rows.Results) != 1 || rows.Results[0] != row || row.Restored != row.Total || row.State != "SUCCESSFUL" {
		fail("collections of job %s: %+v and %+v", now.ID, rows.Results, row)
	}
	seen.Effective = row.Effective
}

func main() {
	var seen result
	c := newCaller(context.Background())
	readNames(c, &seen)
	restore(c, &seen)
	printResult(seen)
}
