#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

struct TargetOptions {
  std::string project;
  std::string id;
  std::string bucket;
  std::string kind = "s3";
  std::string endpoint;
  std::string region;
  std::string access_key;
  std::string secret_key;
};

using SharedOptions =
    std::shared_ptr<TargetOptions>;  // shared by the parser's bindings and the actions

std::string TargetsPath(const TargetOptions& options) {
  return "/projects/" + PathPart(options.project) + "/exportTargets";
}

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("BUCKET", "bucketName"),
                                   Member("KIND", "kind"),
                                   Member("ENDPOINT", "endpoint"),
                                   Member("REGION", "region"),
                                   Member("ACCESS KEY", "accessKeyId"),
                                   Member("CREATED", "created")};

json::object Registration(const TargetOptions& options) {
  json::object body{{"bucketName", options.bucket}, {"kind", options.kind}};
  const auto add = [&body](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      body[name] = value;
    }
  };
  add("endpoint", options.endpoint);
  add("region", options.region);
  add("accessKeyId", options.access_key);
  add("secretAccessKey", options.secret_key);
  return body;
}

void AddAdd(CLI::App& parent, Session& session, const SharedOptions& options) {
  CLI::App* add =
      AddProjectCommand(parent, "add", "Say how a bucket is reached", session, options->project);
  add->add_option("bucket", options->bucket, "the bucket's name")->required();
  add->add_option("--kind", options->kind, "s3 (default) or directory")
      ->check(CLI::IsMember({"s3", "directory"}));
  add->add_option("--endpoint", options->endpoint, "https://HOST[:PORT] of the S3 server");
  add->add_option("--region", options->region, "that requests are signed for (default: us-east-1)");
  add->add_option("--access-key", options->access_key, "access key id");
  AddEnvironmentOption(*add,
                       "--secret-key",
                       options->secret_key,
                       "TIDEMARK_EXPORT_SECRET_KEY",
                       "secret access key; better given by the environment");
  add->footer(
      "Examples: tidemark export-target add my-bucket --endpoint "
      "https://s3.eu-west-1.amazonaws.com --region eu-west-1 --access-key AKIA... --project "
      "32b6e34b3d91647abb20e7b8\n"
      "          tidemark export-target add my-folder --kind directory --project "
      "32b6e34b3d91647abb20e7b8");
  add->callback([&session, options] {
    session.run = [&session, options] {
      PrintObject(session.output,
                  session.MakeClient().Post(TargetsPath(*options), Registration(*options)));
      return 0;
    };
  });
}

}  // namespace

void AddExportTarget(CLI::App& app, Session& session) {
  const auto options = std::make_shared<TargetOptions>();
  CLI::App* target = app.add_subcommand(
      "export-target", "How the buckets that snapshots are exported to are reached");
  target->require_subcommand(1);
  AddAdd(*target, session, options);

  CLI::App* list =
      AddProjectCommand(*target, "list", "The project's export targets", session, options->project);
  list->footer("Example: tidemark export-target list --project 32b6e34b3d91647abb20e7b8");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(TargetsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* remove = AddProjectCommand(
      *target, "remove", "Forget one that no export bucket stands for", session, options->project);
  remove->add_option("id", options->id, "the target's id")->required();
  remove->footer(
      "Example: tidemark export-target remove 32b6e34b3d91647abb20e7b9 --project "
      "32b6e34b3d91647abb20e7b8");
  remove->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(TargetsPath(*options) + "/" + PathPart(options->id));
      return 0;
    };
  });
}

}  // namespace tidemark::app
