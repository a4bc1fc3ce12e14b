#include <boost/json/parse.hpp>
#include <fmt/core.h>

#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct RestoreOptions {
  std::string project;
  std::string cluster;
  std::string id;
  std::string snapshot;
  std::string target;
  std::string target_project;
  std::vector<std::string> only;    // "shop" or "shop.orders"
  std::vector<std::string> rename;  // "shop.orders=shop.old_orders" or "shop=old_shop"
  std::string ids;                  // Extended JSON
  bool delta = false;
  bool dry_run = false;
  bool no_wait = false;
};

// A download has its source as target in the API, and overwrites nothing.
std::string TargetText(const boost::json::value& job) {
  return job.as_object().contains("download") ? "(download)" : TextOf(job, "targetClusterName");
}

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("STATE", "state"),
                                   Member("SNAPSHOT", "snapshotId"),
                                   {"TARGET", TargetText},
                                   Member("CREATED", "created"),
                                   Member("FINISHED", "finished")};

using SharedOptions =
    std::shared_ptr<RestoreOptions>;  // shared by the parser's bindings and the actions

std::string JobsPath(const RestoreOptions& options) {
  return "/projects/" + PathPart(options.project) + "/clusters/" + PathPart(options.cluster) +
         "/restoreJobs";
}

CLI::App* AddCommand(CLI::App& parent,
                     const char* name,
                     const char* help,
                     Session& session,
                     const SharedOptions& options) {
  CLI::App* command = AddProjectCommand(parent, name, help, session, options->project);
  command->add_option("cluster", options->cluster, "name of the cluster that the snapshot is of")
      ->required();
  return command;
}

// "shop.orders" under the two names; a collection's name may hold dots, a database's may not.
void AddName(boost::json::object& rule,
             const std::string& name,
             const char* database,
             const char* collection) {
  const std::size_t dot = name.find('.');
  rule[database] = name.substr(0, dot);
  if (dot != std::string::npos) {
    rule[collection] = name.substr(dot + 1);
  }
}

boost::json::object RenameRule(const std::string& rename) {
  const std::size_t equals = rename.find('=');
  const bool whole = rename.find('.') > equals;  // a database
  const std::string to = equals == std::string::npos ? "" : rename.substr(equals + 1);
  if (to.empty() || whole != (to.find('.') == std::string::npos)) {
    throw Error(ErrorCode::kInvalidArgument,
                "--rename " + rename +
                    ": it is neither DATABASE.COLLECTION=DATABASE.COLLECTION "
                    "nor DATABASE=DATABASE");
  }
  boost::json::object rule;
  AddName(rule, rename.substr(0, equals), "database", "collection");
  AddName(rule, to, "toDatabase", "toCollection");
  return rule;
}

boost::json::object IdFilterOf(const RestoreOptions& options, const boost::json::array& include) {
  const boost::json::object* rule = include.size() == 1 ? &include.front().as_object() : nullptr;
  if (rule == nullptr || !rule->contains("collection")) {
    throw Error(ErrorCode::kInvalidArgument,
                "--ids needs exactly one collection",
                "name it with --only DATABASE.COLLECTION or --rename");
  }
  boost::system::error_code error;
  boost::json::value ids = boost::json::parse(options.ids, error);
  if (error) {
    throw Error(ErrorCode::kInvalidArgument,
                "--ids " + options.ids + ": it is not JSON",
                "an _id that is text needs its quotes: --ids '\"a1\"'");
  }
  return {{"database", rule->at("database")},
          {"collection", rule->at("collection")},
          {"ids", std::move(ids)}};
}

void AddScope(boost::json::object& body, const RestoreOptions& options) {
  boost::json::array include;
  for (const std::string& name : options.only) {
    boost::json::object rule;
    AddName(rule, name, "database", "collection");
    include.push_back(std::move(rule));
  }
  for (const std::string& rename : options.rename) {
    include.push_back(RenameRule(rename));
  }
  if (!options.ids.empty()) {
    body["filter"] = IdFilterOf(options, include);
  }
  if (!include.empty()) {
    body["include"] = std::move(include);
  }
  if (options.delta) {
    body["delta"] = true;
  }
}

boost::json::object RequestBody(const RestoreOptions& options) {
  boost::json::object body{{"snapshotId", options.snapshot}, {"targetClusterName", options.target}};
  if (!options.target_project.empty()) {
    body["targetProjectId"] = options.target_project;
  }
  if (options.dry_run) {
    body["dryRun"] = true;
  }
  AddScope(body, options);
  return body;
}

int WatchJob(const RestoreOptions& options,
             const std::string& id,
             Client& client,
             Session& session) {
  const boost::json::value job =
      Watch(session.output, [&] { return client.Get(JobsPath(options) + "/" + PathPart(id)); });
  PrintObject(session.output, job);
  return FinalStatus("restore " + id, job);
}

int Start(const RestoreOptions& options, Session& session) {
  Client client = session.MakeClient();
  const boost::json::value answer = client.Post(JobsPath(options), RequestBody(options));
  if (options.dry_run && session.output == OutputFormat::kTable) {
    fmt::print("{}", TextOf(answer, "text"));
    return 0;
  }
  if (options.dry_run || options.no_wait) {
    PrintObject(session.output, answer);
    return 0;
  }
  return WatchJob(options, TextOf(answer, "id"), client, session);
}

void AddStart(CLI::App& parent, Session& session, const SharedOptions& options) {
  CLI::App* start = AddCommand(
      parent,
      "start",
      "Restore a snapshot; WIPES the target's databases first, unless told what to restore",
      session,
      options);
  start->add_option("--snapshot", options->snapshot, "the snapshot's id")->required();
  start->add_option("--target", options->target, "name of the cluster to restore into")->required();
  start->add_option("--target-project", options->target_project, "its project, if another one");
  start->add_option("--only", options->only, "restore this DATABASE or DATABASE.COLLECTION")
      ->allow_extra_args(false);
  start->add_option("--rename", options->rename, "restore it under another name: FROM=TO")
      ->allow_extra_args(false);
  start->add_option("--ids",
                    options->ids,
                    "of one collection, write only the documents with these _ids (Extended JSON)");
  start->add_flag("--delta", options->delta, "leave equal documents alone, change the others");
  start->add_flag("--dry-run", options->dry_run, "only say what would be dropped and written");
  start->add_flag("--no-wait", options->no_wait, "do not wait for its end");
  start->footer(
      "Example: tidemark restore start Cluster0 --project 32b6e34b3d91647abb20e7b8 "
      "--snapshot 32b6e34b3d91647abb20e7b9 --target Cluster0\n"
      "         ... --only shop.orders                  that collection, the rest stays\n"
      "         ... --rename shop.orders=shop.orders2   under another name\n"
      "         ... --only shop.orders --ids '{\"$in\":[1,2]}'   single documents\n"
      "         ... --delta                             only what differs");
  start->callback([&session, options] {
    session.run = [&session, options] { return Start(*options, session); };
  });
}

}  // namespace

void AddRestore(CLI::App& app, Session& session) {
  const auto options = std::make_shared<RestoreOptions>();
  CLI::App* restore =
      app.add_subcommand("restore", "Start, list and watch restores, end downloads");
  restore->require_subcommand(1);
  AddStart(*restore, session, options);

  CLI::App* list = AddCommand(
      *restore, "list", "The restores of the cluster's snapshots, newest first", session, options);
  list->footer("Example: tidemark restore list Cluster0 --project 32b6e34b3d91647abb20e7b8");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(JobsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* show = AddCommand(*restore, "show", "All that is known of one", session, options);
  show->add_option("id", options->id, "the job's id")->required();
  show->footer(
      "Example: tidemark restore show Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  show->callback([&session, options] {
    session.run = [&session, options] {
      PrintObject(session.output,
                  session.MakeClient().Get(JobsPath(*options) + "/" + PathPart(options->id)));
      return 0;
    };
  });

  CLI::App* watch = AddCommand(*restore, "watch", "Follow one until its end", session, options);
  watch->add_option("id", options->id, "the job's id")->required();
  watch->footer(
      "Example: tidemark restore watch Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  watch->callback([&session, options] {
    session.run = [&session, options] {
      Client client = session.MakeClient();
      return WatchJob(*options, options->id, client, session);
    };
  });

  CLI::App* end =
      AddCommand(*restore, "end", "End a download: its links are good no longer", session, options);
  end->add_option("id", options->id, "the job's id")->required();
  end->footer(
      "Example: tidemark restore end Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  end->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(JobsPath(*options) + "/" + PathPart(options->id));
      return 0;
    };
  });
}

}  // namespace tidemark::app
