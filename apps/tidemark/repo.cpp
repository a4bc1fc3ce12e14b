#include <fmt/core.h>

#include "base/one_line.h"
#include "base/units.h"
#include "command.h"
#include "exit_status.h"
#include "output.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

struct RepoOptions {
  std::string project;
  bool read_data = false;
  std::string sample;
  bool dry_run = false;
  int rewrite_below = 50;
  std::string from_cluster;
};

using SharedOptions =
    std::shared_ptr<RepoOptions>;  // shared by the parser's bindings and the actions

std::string RepoPath(const RepoOptions& options) {
  return "/projects/" + PathPart(options.project) + "/repository";
}

// Starts a task and waits for its end.
json::value RunTask(const RepoOptions& options,
                    Session& session,
                    std::string_view what,
                    const json::object& request) {
  Client client = session.MakeClient();
  const json::value started = client.Post(RepoPath(options) + "/" + std::string(what), request);
  const std::string path = RepoPath(options) + "/tasks/" + TextOf(started, "id");
  return Watch(session.output, [&] { return client.Get(path); });
}

// "5%" and "5".
double ParsePercent(const std::string& text) {
  const std::string number = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
  double percent = 0;
  if (!CLI::detail::lexical_cast(number, percent) || !(percent > 0 && percent <= 100)) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading --sample: \"" + text + "\" is not a share like 5%");
  }
  return percent;
}

json::object CheckRequest(const RepoOptions& options) {
  json::object request{{"readData", options.read_data}};
  if (!options.sample.empty()) {
    request["samplePercent"] = ParsePercent(options.sample);
  }
  return request;
}

std::string Bytes(const json::value& object, std::string_view member) {
  return FormatBytes({static_cast<std::uint64_t>(NumberOf(object, member))});
}

void PrintCheck(const json::value& check) {
  const json::array& findings = check.at("findings").as_array();
  for (const json::value& finding : findings) {
    fmt::print("{}\n", OneLine(TextOf(finding, "text")));
  }
  const auto damaged = NumberOf(check, "damaged");
  const auto hidden = damaged - static_cast<std::int64_t>(findings.size());
  if (hidden > 0) {
    fmt::print("and {} more\n", hidden);
  }
  fmt::print("checked {} snapshots, {} chunks, {} packs, {} index segments\n",
             NumberOf(check, "snapshots"),
             NumberOf(check, "chunks"),
             NumberOf(check, "packs"),
             NumberOf(check, "indexSegments"));
  fmt::print("read {} chunks, {}; compared {} namespaces\n",
             NumberOf(check, "chunksRead"),
             Bytes(check, "bytesRead"),
             NumberOf(check, "namespacesCompared"));
  fmt::print("{}\n", damaged == 0 ? "no damage found" : "DAMAGE FOUND");
}

int Check(const RepoOptions& options, Session& session) {
  const json::value task = RunTask(options, session, "check", CheckRequest(options));
  if (session.output == OutputFormat::kJson) {
    PrintJson(task);
  }
  const int status = FinalStatus("check", task);
  if (status != 0) {
    return status;
  }
  if (session.output == OutputFormat::kTable) {
    PrintCheck(task.at("check"));
  }
  return NumberOf(task.at("check"), "damaged") == 0 ? 0 : ExitStatus(ErrorCode::kCorrupt);
}

void PrintCollected(const json::value& gc) {
  fmt::print("{}", TextOf(gc, "text"));
  const std::string outcome = TextOf(gc, "outcome");
  if (outcome == "planned") {
    fmt::print("nothing was changed: this was a dry run\n");
    return;
  }
  if (outcome == "waiting") {
    fmt::print(
        "waiting for {} snapshots or restores that began before; run it again when they are done\n",
        NumberOf(gc, "waitingFor"));
  }
  fmt::print("deleted {} packs, {}\n", NumberOf(gc, "deletedPacks"), Bytes(gc, "deletedBytes"));
  if (NumberOf(gc, "sparedPacks") > 0) {
    fmt::print("spared {} packs that a new snapshot needs\n", NumberOf(gc, "sparedPacks"));
  }
  if (NumberOf(gc, "damagedPacks") > 0) {
    fmt::print("left {} damaged packs alone; find them with: tidemark repo check --read-data\n",
               NumberOf(gc, "damagedPacks"));
  }
}

int Collect(const RepoOptions& options, Session& session) {
  const json::value task =
      RunTask(options,
              session,
              "gc",
              {{"dryRun", options.dry_run}, {"rewriteBelowPercent", options.rewrite_below}});
  if (session.output == OutputFormat::kJson) {
    PrintJson(task);
  }
  const int status = FinalStatus("gc", task);
  if (status != 0) {
    return status;
  }
  if (session.output == OutputFormat::kTable) {
    PrintCollected(task.at("gc"));
  }
  return NumberOf(task.at("gc"), "damagedPacks") == 0 ? 0 : ExitStatus(ErrorCode::kCorrupt);
}

int Repair(const RepoOptions& options, Session& session) {
  json::object request{{"dryRun", options.dry_run}};
  if (!options.from_cluster.empty()) {
    request["fromCluster"] = options.from_cluster;
  }
  const json::value task = RunTask(options, session, "repair", request);
  if (session.output == OutputFormat::kJson) {
    PrintJson(task);
  }
  const int status = FinalStatus("repair", task);
  if (status != 0) {
    return status;
  }
  const json::value& repair = task.at("repair");
  const bool whole = repair.at("allWhole").as_bool();
  if (session.output == OutputFormat::kTable) {
    fmt::print("{}", TextOf(repair, "text"));
    fmt::print("read {} chunks, {}\n", NumberOf(repair, "chunksRead"), Bytes(repair, "bytesRead"));
    if (options.dry_run) {
      fmt::print("nothing was changed: this was a dry run\n");
    }
    fmt::print("{}\n",
               !whole            ? "DAMAGE STAYS"
               : options.dry_run ? "every snapshot can be made whole"
                                 : "every snapshot is whole");
  }
  return whole ? 0 : ExitStatus(ErrorCode::kCorrupt);
}

Column BytesColumn(std::string_view title, std::string_view member) {
  return {title, [member](const json::value& row) { return Bytes(row, member); }};
}

int Stats(const RepoOptions& options, Session& session) {
  const json::value stats = session.MakeClient().Get(RepoPath(options) + "/stats");
  if (session.output == OutputFormat::kJson) {
    PrintJson(stats);
    return 0;
  }
  PrintTable(stats.at("snapshots").as_array(),
             {Member("SNAPSHOT", "id"),
              Member("CLUSTER", "clusterName"),
              Member("CREATED", "created"),
              BytesColumn("LOGICAL", "logicalBytes"),
              BytesColumn("ADDED", "addedBytes"),
              BytesColumn("EXCLUSIVE", "exclusiveBytes")});
  fmt::print("logical       {}\n", Bytes(stats, "logicalBytes"));
  fmt::print("stored        {}\n", Bytes(stats, "storedBytes"));
  fmt::print("unreferenced  {}\n", Bytes(stats, "unreferencedBytes"));
  if (const json::value* ratio = stats.as_object().if_contains("ratio")) {
    fmt::print("ratio         {:.2f}\n", ratio->to_number<double>());
  }
  return 0;
}

void AddCheck(CLI::App& repo, Session& session, const SharedOptions& options) {
  CLI::App* check = AddProjectCommand(repo,
                                      "check",
                                      "Look for damage; exits with 11 when there is some",
                                      session,
                                      options->project);
  CLI::Option* all = check->add_flag(
      "--read-data", options->read_data, "read every chunk and compare every namespace's digest");
  check->add_option("--sample", options->sample, "read that share of the chunks, e.g. 5%")
      ->excludes(all);
  check->footer("Example: tidemark repo check --project 32b6e34b3d91647abb20e7b8 --sample 5%");
  check->callback([&session, options] {
    session.run = [&session, options] { return Check(*options, session); };
  });
}

void AddRepair(CLI::App& repo, Session& session, const SharedOptions& options) {
  CLI::App* repair = AddProjectCommand(repo,
                                       "repair",
                                       "Heal what is damaged; exits with 11 when some of it stays",
                                       session,
                                       options->project);
  repair->add_flag("--dry-run", options->dry_run, "print the plan, change nothing");
  repair->add_option("--from-cluster",
                     options->from_cluster,
                     "take documents from that registered cluster, or from \"none\" (default: from "
                     "the clusters that the snapshots were taken of)");
  repair->footer("Example: tidemark repo repair --project 32b6e34b3d91647abb20e7b8 --dry-run");
  repair->callback([&session, options] {
    session.run = [&session, options] { return Repair(*options, session); };
  });
}

}  // namespace

void AddRepo(CLI::App& app, Session& session) {
  const auto options = std::make_shared<RepoOptions>();
  CLI::App* repo = app.add_subcommand(
      "repo", "The repository: damage, garbage, statistics; and without a server");
  repo->require_subcommand(1);
  AddRepoOpen(*repo, session);
  AddCheck(*repo, session, options);

  CLI::App* gc = AddProjectCommand(
      *repo, "gc", "Delete what no snapshot references any more", session, options->project);
  gc->add_flag("--dry-run", options->dry_run, "print the plan, change nothing");
  gc->add_option("--rewrite-below",
                 options->rewrite_below,
                 "rewrite packs of which less than this share is alive, in percent; 100: whatever "
                 "is dead goes (default 50)")
      ->check(CLI::Range(0, 100));
  gc->footer("Example: tidemark repo gc --project 32b6e34b3d91647abb20e7b8 --dry-run");
  gc->callback([&session, options] {
    session.run = [&session, options] { return Collect(*options, session); };
  });

  AddRepair(*repo, session, options);

  CLI::App* stats = AddProjectCommand(*repo,
                                      "stats",
                                      "Logical and stored bytes, of all and of each snapshot",
                                      session,
                                      options->project);
  stats->footer("Example: tidemark repo stats --project 32b6e34b3d91647abb20e7b8 --output json");
  stats->callback([&session, options] {
    session.run = [&session, options] { return Stats(*options, session); };
  });
}

}  // namespace tidemark::app
