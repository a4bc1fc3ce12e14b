#include <array>

#include <fmt/core.h>

#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct ClusterOptions {
  std::string project;
  std::string name;
  std::string uri;
  std::string tier = "shared";
};

// A setting that may be switched on, switched off, or left alone.
struct Switch {
  const char* member;
  const char* on_name;
  const char* off_name;
  const char* help;
  bool on = false;
  bool off = false;
};

using Switches = std::array<Switch, 4>;

Switches AllSwitches() {
  return {Switch{"encryptionAtRest",
                 "--encryption-at-rest",
                 "--no-encryption-at-rest",
                 "it encrypts at rest: no tenant restore into it"},
          Switch{"paused", "--paused", "--no-paused", "it is paused: no restore into it"},
          Switch{"requireQuiet",
                 "--require-quiet",
                 "--no-require-quiet",
                 "refuse a restore while other clients are connected"},
          Switch{"allowLossy",
                 "--allow-lossy",
                 "--no-allow-lossy",
                 "restore although it drops some options of the snapshot"}};
}

// Those that were given.
boost::json::object BodyOf(const Switches& switches) {
  boost::json::object body;
  for (const Switch& one : switches) {
    if (one.on || one.off) {
      body[one.member] = one.on;
    }
  }
  return body;
}

const std::vector<Column> kColumns{Member("NAME", "name"),
                                   Member("TIER", "tier"),
                                   Member("TOPOLOGY", "topology"),
                                   Member("VERSION", "mongoDBVersion"),
                                   Member("CREATED", "created"),
                                   {"VERIFIED", VerifiedText}};

using SharedOptions =
    std::shared_ptr<ClusterOptions>;  // shared by the parser's bindings and the actions

std::string ClustersPath(const ClusterOptions& options) {
  return "/projects/" + PathPart(options.project) + "/clusters";
}

int Add(const ClusterOptions& options, const Switches& switches, Session& session) {
  boost::json::object body = BodyOf(switches);
  body["name"] = options.name;
  body["tier"] = options.tier;
  body["connectionString"] = options.uri;
  const boost::json::value made = session.MakeClient().Post(ClustersPath(options), body);
  if (session.output == OutputFormat::kJson) {
    PrintJson(made);
  } else {
    fmt::print("cluster {} registered\n", options.name);
  }
  return 0;
}

int Change(const ClusterOptions& options, Session& session, const boost::json::object& body) {
  if (body.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "changing a cluster: nothing to change was given",
                "tidemark cluster set --help");
  }
  const boost::json::value cluster =
      session.MakeClient().Patch(ClustersPath(options) + "/" + PathPart(options.name), body);
  if (session.output == OutputFormat::kJson) {
    PrintJson(cluster);
  } else {
    fmt::print("cluster {} changed\n", options.name);
  }
  return 0;
}

int Show(const ClusterOptions& options, Session& session) {
  const boost::json::value cluster =
      session.MakeClient().Get(ClustersPath(options) + "/" + PathPart(options.name));
  if (session.output == OutputFormat::kJson) {
    PrintJson(cluster);
    return 0;
  }
  boost::json::object lines = cluster.as_object();
  lines["lastVerified"] = VerifiedText(cluster);
  PrintObject(session.output, lines);
  return 0;
}

int Check(const ClusterOptions& options, Session& session) {
  const boost::json::value check = session.MakeClient().Post(
      ClustersPath(options) + "/" + PathPart(options.name) + "/check", boost::json::object());
  PrintObject(session.output, check);
  const bool usable = check.at("reachable").as_bool() && check.at("canRead").as_bool() &&
                      check.at("canWrite").as_bool();
  return usable ? 0 : 1;
}

void AddAdd(CLI::App& parent, Session& session, const SharedOptions& options) {
  CLI::App* add = AddProjectCommand(parent, "add", "Register a cluster", session, options->project);
  add->add_option("name", options->name, "its name: letters, digits, hyphens")->required();
  AddEnvironmentOption(*add,
                       "--uri",
                       options->uri,
                       "TIDEMARK_CLUSTER_URI",
                       "connection string; stored encrypted, never shown again")
      ->required(options->uri.empty());
  add->add_option("--tier", options->tier, "which API families it answers to")
      ->check(CLI::IsMember({"shared", "flex", "dedicated"}));
  const auto switches = std::make_shared<Switches>(AllSwitches());
  for (Switch& one : *switches) {
    add->add_flag(one.on_name, one.on, one.help);
  }
  add->footer(
      "Example: tidemark cluster add Cluster0 --project 32b6e34b3d91647abb20e7b8 --uri "
      "mongodb://127.0.0.1:27017");
  add->callback([&session, options, switches] {
    session.run = [&session, options, switches] { return Add(*options, *switches, session); };
  });
}

void AddSet(CLI::App& parent, Session& session, const SharedOptions& options) {
  CLI::App* set = AddProjectCommand(
      parent, "set", "Change its settings; what is not named stays", session, options->project);
  set->add_option("name", options->name, "its name")->required();
  const auto switches = std::make_shared<Switches>(AllSwitches());
  for (Switch& one : *switches) {
    CLI::Option* on = set->add_flag(one.on_name, one.on, one.help);
    set->add_flag(one.off_name, one.off, "not so")->excludes(on);
  }
  set->footer(
      "Example: tidemark cluster set Cluster0 --project 32b6e34b3d91647abb20e7b8 --no-paused");
  set->callback([&session, options, switches] {
    session.run = [&session, options, switches] {
      return Change(*options, session, BodyOf(*switches));
    };
  });
}

// A command of its own: the environment's connection string is meant when it is called.
void AddSetUri(CLI::App& parent, Session& session, const SharedOptions& options) {
  CLI::App* set = AddProjectCommand(parent,
                                    "set-uri",
                                    "Another connection string; snapshots and schedule stay",
                                    session,
                                    options->project);
  set->add_option("name", options->name, "its name")->required();
  AddEnvironmentOption(*set,
                       "--uri",
                       options->uri,
                       "TIDEMARK_CLUSTER_URI",
                       "connection string; stored encrypted, never shown again")
      ->required(options->uri.empty());
  set->footer(
      "Example: tidemark cluster set-uri Cluster0 --project 32b6e34b3d91647abb20e7b8 --uri "
      "mongodb://127.0.0.1:27017");
  set->callback([&session, options] {
    session.run = [&session, options] {
      return Change(*options, session, {{"connectionString", options->uri}});
    };
  });
}

}  // namespace

void AddCluster(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ClusterOptions>();
  CLI::App* cluster = app.add_subcommand("cluster", "Registered clusters");
  cluster->require_subcommand(1);
  AddAdd(*cluster, session, options);
  AddSet(*cluster, session, options);
  AddSetUri(*cluster, session, options);

  CLI::App* list =
      AddProjectCommand(*cluster, "list", "The project's clusters", session, options->project);
  list->footer("Example: tidemark cluster list --project 32b6e34b3d91647abb20e7b8");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(ClustersPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* show = AddProjectCommand(
      *cluster, "show", "One cluster and its last drill", session, options->project);
  show->add_option("name", options->name, "its name")->required();
  show->footer("Example: tidemark cluster show Cluster0 --project 32b6e34b3d91647abb20e7b8");
  show->callback([&session, options] {
    session.run = [&session, options] { return Show(*options, session); };
  });

  CLI::App* check = AddProjectCommand(
      *cluster, "check", "Look at it: version, topology, oplog, rights", session, options->project);
  check->add_option("name", options->name, "its name")->required();
  check->footer("Example: tidemark cluster check Cluster0 --project 32b6e34b3d91647abb20e7b8");
  check->callback([&session, options] {
    session.run = [&session, options] { return Check(*options, session); };
  });

  CLI::App* remove = AddProjectCommand(
      *cluster, "remove", "Unregister it; its snapshots stay", session, options->project);
  remove->add_option("name", options->name, "its name")->required();
  remove->footer("Example: tidemark cluster remove Cluster0 --project 32b6e34b3d91647abb20e7b8");
  remove->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(ClustersPath(*options) + "/" + PathPart(options->name));
      return 0;
    };
  });
}

}  // namespace tidemark::app
