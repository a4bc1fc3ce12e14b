#include <fmt/core.h>

#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

struct DrillOptions {
  std::string project;
  std::string cluster;
  std::string target;
  bool no_target = false;
  std::int64_t interval_days = -1;  // not given
  bool on = false;
  bool off = false;
};

using SharedOptions =
    std::shared_ptr<DrillOptions>;  // shared by the parser's bindings and the actions

const std::vector<Column> kColumns{Member("DRILL", "id"),
                                   Member("STATE", "state"),
                                   Member("SNAPSHOT", "snapshotId"),
                                   {"TARGET",
                                    [](const json::value& row) {
                                      const std::string target = TextOf(row, "targetClusterName");
                                      return target.empty() ? std::string("(read only)") : target;
                                    }},
                                   Member("FINISHED", "finished"),
                                   Member("DOCUMENTS", "documents"),
                                   Member("FAILURE", "failure")};

std::string PathOf(const DrillOptions& options, std::string_view what) {
  return "/projects/" + PathPart(options.project) + "/clusters/" + PathPart(options.cluster) + "/" +
         std::string(what);
}

void PrintSettings(OutputFormat format, const json::value& settings) {
  if (format == OutputFormat::kJson) {
    PrintObject(format, settings);
    return;
  }
  json::object lines = settings.as_object();
  if (lines.contains("lastVerified")) {
    lines["lastVerified"] = VerifiedText(settings);
  }
  PrintObject(format, lines);
}

json::object ReadChange(const DrillOptions& options) {
  json::object body;
  if (!options.target.empty() || options.no_target) {
    body["targetClusterName"] = options.target;
  }
  if (options.interval_days >= 0) {
    body["intervalDays"] = options.interval_days;
  }
  if (body.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "changing the drills of cluster " + options.cluster + ": no change is given",
                "tidemark drill set --help");
  }
  return body;
}

CLI::App* AddCommand(CLI::App& drill,
                     const char* name,
                     const char* help,
                     Session& session,
                     const SharedOptions& options) {
  CLI::App* command = AddProjectCommand(drill, name, help, session, options->project);
  command->add_option("cluster", options->cluster, "name of the cluster")->required();
  command->footer(
      fmt::format("Example: tidemark drill {} Cluster0 --project 32b6e34b3d91647abb20e7b8", name));
  return command;
}

void AddSet(CLI::App& drill, Session& session, const SharedOptions& options) {
  CLI::App* set =
      AddCommand(drill, "set", "Change the settings; what is not named stays", session, options);
  CLI::Option* target = set->add_option(
      "--target", options->target, "a marked cluster of the project that drills restore to");
  set->add_flag("--no-target", options->no_target, "drills only read and decode")->excludes(target);
  set->add_option("--interval-days", options->interval_days, "so often; 0: only when somebody asks")
      ->check(CLI::NonNegativeNumber);
  set->footer(
      "Example: tidemark drill set Cluster0 --target Scratch0 --interval-days 7 --project "
      "32b6e34b3d91647abb20e7b8");
  set->callback([&session, options] {
    session.run = [&session, options] {
      PrintSettings(
          session.output,
          session.MakeClient().Patch(PathOf(*options, "drillSettings"), ReadChange(*options)));
      return 0;
    };
  });
}

void AddScratch(CLI::App& drill, Session& session, const SharedOptions& options) {
  CLI::App* scratch = AddCommand(drill,
                                 "scratch",
                                 "Say that all that a cluster holds may be thrown away: drills may "
                                 "wipe it",
                                 session,
                                 options);
  CLI::Option* on = scratch->add_flag("--on", options->on, "mark it");
  scratch->add_flag("--off", options->off, "take the mark off")->excludes(on);
  scratch->footer(
      "Example: tidemark drill scratch Scratch0 --on --project 32b6e34b3d91647abb20e7b8");
  scratch->callback([&session, options] {
    session.run = [&session, options] {
      if (!options->on && !options->off) {
        throw Error(ErrorCode::kInvalidArgument,
                    "marking cluster " + options->cluster + ": neither --on nor --off is given",
                    "tidemark drill scratch --help");
      }
      PrintObject(session.output,
                  session.MakeClient().Patch(PathOf(*options, "scratchTarget"),
                                             json::object{{"scratchTarget", options->on}}));
      return 0;
    };
  });
}

}  // namespace

void AddDrill(CLI::App& app, Session& session) {
  const auto options = std::make_shared<DrillOptions>();
  CLI::App* drill =
      app.add_subcommand("drill", "Restore drills: proof that snapshots can be restored");
  drill->require_subcommand(1);

  AddCommand(*drill, "show", "The cluster's settings and the last result", session, options)
      ->callback([&session, options] {
        session.run = [&session, options] {
          PrintSettings(session.output,
                        session.MakeClient().Get(PathOf(*options, "drillSettings")));
          return 0;
        };
      });
  AddSet(*drill, session, options);
  AddScratch(*drill, session, options);
  AddCommand(*drill, "run", "Queue a drill of the newest snapshot now", session, options)
      ->callback([&session, options] {
        session.run = [&session, options] {
          PrintObject(session.output,
                      session.MakeClient().Post(PathOf(*options, "drills"), json::object()));
          return 0;
        };
      });
  AddCommand(*drill, "list", "The cluster's drills, newest first", session, options)
      ->callback([&session, options] {
        session.run = [&session, options] {
          PrintList(
              session.output, session.MakeClient().List(PathOf(*options, "drills")), kColumns);
          return 0;
        };
      });
}

}  // namespace tidemark::app
