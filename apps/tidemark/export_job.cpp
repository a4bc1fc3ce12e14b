#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct JobOptions {
  std::string project;
  std::string cluster;
  std::string id;
};

std::string JobsPath(const JobOptions& options) {
  return "/projects/" + options.project + "/clusters/" + options.cluster + "/exports";
}

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("SNAPSHOT", "snapshotId"),
                                   Member("BUCKET", "exportBucketId"),
                                   Member("STATE", "state"),
                                   Member("SCHEDULED", "scheduled"),
                                   Member("DONE", "exportedCollections"),
                                   Member("OF", "totalCollections"),
                                   Member("CREATED", "created"),
                                   Member("FAILURE", "failure")};

}  // namespace

void AddExportJob(CLI::App& app, Session& session) {
  const auto options = std::make_shared<JobOptions>();
  CLI::App* jobs = app.add_subcommand("export", "Exports of snapshots into buckets");
  jobs->require_subcommand(1);

  CLI::App* list = AddProjectCommand(
      *jobs, "list", "A cluster's exports, newest first", session, options->project);
  list->add_option("cluster", options->cluster, "name or id of the cluster")->required();
  list->footer("Example: tidemark export list Cluster0 --project 32b6e34b3d91647abb20e7b8");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(JobsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* cancel = AddProjectCommand(*jobs,
                                       "cancel",
                                       "End one that has not finished; what it has written stays",
                                       session,
                                       options->project);
  cancel->add_option("cluster", options->cluster, "name or id of the cluster")->required();
  cancel->add_option("id", options->id, "the export's id")->required();
  cancel->footer(
      "Example: tidemark export cancel Cluster0 32b6e34b3d91647abb20e7b9 --project "
      "32b6e34b3d91647abb20e7b8");
  cancel->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(JobsPath(*options) + "/" + options->id);
      return 0;
    };
  });
}

}  // namespace tidemark::app
