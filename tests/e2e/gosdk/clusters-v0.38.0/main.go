// Reads projects and clusters as a user of the v1.0 client does, and prints what it saw as one line of JSON. Exits with
// 1 and a reason at the first deviation.
package main

import (
	"context"
	"errors"

	"github.com/mongodb-forks/digest"
	"go.mongodb.org/atlas/mongodbatlas"
)

type result struct {
	Projects         int      `json:"projects"`
	Clusters         []string `json:"clusters"`
	Address          string   `json:"address"`
	Size             string   `json:"size"`
	AdvancedClusters []string `json:"advancedClusters"`
	AdvancedAddress  string   `json:"advancedAddress"`
	FlexCode         string   `json:"flexCode"`
}

func readProjects(ctx context.Context, client *mongodbatlas.Client, seen *result) {
	projects, _, err := client.Projects.GetAllProjects(ctx, nil)
	check("list projects", err)
	project, _, err := client.Projects.GetOneProject(ctx, setting("GROUP_ID"))
	if err != nil || project.ID != setting("GROUP_ID") {
		fail("get project: %v, %v", project, err)
	}
	seen.Projects = len(projects.Results)
}

// v1.0
func readClusters(ctx context.Context, client *mongodbatlas.Client, seen *result) {
	clusters, _, err := client.Clusters.List(ctx, setting("GROUP_ID"), nil)
	check("list clusters", err)
	for _, cluster := range clusters {
		seen.Clusters = append(seen.Clusters, cluster.Name)
	}
	cluster, _, err := client.Clusters.Get(ctx, setting("GROUP_ID"), setting("CLUSTER"))
	check("get cluster", err)
	if cluster.StateName != "IDLE" || cluster.ProviderSettings == nil {
		fail("get cluster: %v", cluster)
	}
	seen.Address, seen.Size = cluster.ConnectionStrings.Standard, cluster.ProviderSettings.InstanceSizeName
	_, _, err = client.Clusters.Get(ctx, setting("GROUP_ID"), setting("FLEX"))
	var refused *mongodbatlas.ErrorResponse
	if errors.As(err, &refused) {
		seen.FlexCode = refused.ErrorCode
	}
	if _, _, err = client.Clusters.GetProcessArgs(ctx, setting("GROUP_ID"), setting("CLUSTER")); err != nil {
		fail("get process args: %v", err)
	}
}

// v1.5
func readAdvancedClusters(ctx context.Context, client *mongodbatlas.Client, seen *result) {
	clusters, _, err := client.AdvancedClusters.List(ctx, setting("GROUP_ID"), nil)
	check("list advanced clusters", err)
	for _, cluster := range clusters.Results {
		seen.AdvancedClusters = append(seen.AdvancedClusters, cluster.Name)
	}
	cluster, _, err := client.AdvancedClusters.Get(ctx, setting("GROUP_ID"), setting("CLUSTER"))
	check("get advanced cluster", err)
	if len(cluster.ReplicationSpecs) != 1 || cluster.ReplicationSpecs[0].NumShards != 1 {
		fail("get advanced cluster: replication specs %v", cluster.ReplicationSpecs)
	}
	seen.AdvancedAddress = cluster.ConnectionStrings.Standard
}

func main() {
	ctx := context.Background()
	web, err := digest.NewTransport(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")).Client()
	check("create the client", err)
	client, err := mongodbatlas.New(web, mongodbatlas.SetBaseURL(setting("BASE_URL")+"/"))
	check("create the client", err)
	var seen result
	readProjects(ctx, client, &seen)
	readClusters(ctx, client, &seen)
	readAdvancedClusters(ctx, client, &seen)
	printResult(seen)
}
