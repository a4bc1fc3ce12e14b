#include <algorithm>

#include <fmt/core.h>

#include "command.h"
#include "exit_status.h"
#include "output.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

struct AuditOptions {
  std::string project;
  std::string since;
  std::string until;
  std::string actor;
  std::string operation;
  std::int64_t limit = 100;
  std::string anchor;
};

using SharedOptions =
    std::shared_ptr<AuditOptions>;  // shared by the parser's bindings and the actions

constexpr std::int64_t kMostRows = 100'000;
constexpr std::int64_t kPageSize = 500;

std::string ListPath(const AuditOptions& options) {
  std::string path =
      options.project.empty() ? "/audit?" : "/projects/" + PathPart(options.project) + "/audit?";
  const auto add = [&path](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      path += std::string(name) + "=" + PathPart(value) + "&";
    }
  };
  add("since", options.since);
  add("until", options.until);
  add("actor", options.actor);
  add("operation", options.operation);
  return path + "itemsPerPage=" + std::to_string(std::min(options.limit, kPageSize)) + "&pageNum=";
}

json::array Fetch(const AuditOptions& options, Session& session) {
  Client client = session.MakeClient();
  const std::string path = ListPath(options);
  json::array rows;
  for (int page = 1;; ++page) {
    const json::array results = client.Get(path + std::to_string(page)).at("results").as_array();
    rows.insert(rows.end(), results.begin(), results.end());
    if (std::ssize(rows) >= options.limit || std::ssize(results) < kPageSize) {
      rows.resize(std::min(rows.size(), static_cast<std::size_t>(options.limit)));
      return rows;
    }
  }
}

// "201", "404 SNAPSHOT_NOT_FOUND", "OUTCOME_UNKNOWN"; "-" for what the server did by itself.
std::string Result(const json::value& row) {
  const std::int64_t status = NumberOf(row, "status");
  std::string text = status == 0 ? "" : std::to_string(status);
  const std::string code = TextOf(row, "errorCode");
  if (!code.empty()) {
    text += (text.empty() ? "" : " ") + code;
  }
  return text.empty() ? "-" : text;
}

const std::vector<Column> kColumns{Member("NUMBER", "number"),
                                   Member("AT", "at"),
                                   Member("ACTOR", "actor"),
                                   Member("ADDRESS", "remoteAddress"),
                                   Member("OPERATION", "operation"),
                                   Member("CLUSTER", "clusterName"),
                                   Member("OBJECT", "objectId"),
                                   {"RESULT", Result}};

std::string VerificationPath(const AuditOptions& options) {
  if (options.anchor.empty()) {
    return "/audit/verification";
  }
  const std::size_t colon = options.anchor.find(':');
  if (colon == std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading --anchor: \"" + options.anchor + "\" is not NUMBER:HASH",
                "an earlier `tidemark audit verify` showed both");
  }
  return "/audit/verification?number=" + PathPart(options.anchor.substr(0, colon)) +
         "&hash=" + PathPart(options.anchor.substr(colon + 1));
}

int Verify(const AuditOptions& options, Session& session) {
  const json::value verdict = session.MakeClient().Get(VerificationPath(options));
  const bool intact = verdict.at("intact").as_bool();
  if (session.output == OutputFormat::kJson) {
    PrintJson(verdict);
  } else if (intact) {
    fmt::print("intact: {} rows; note this for later: --anchor {}:{}\n",
               NumberOf(verdict, "rows"),
               NumberOf(verdict, "rows"),
               TextOf(verdict, "hash"));
  } else {
    fmt::print("NOT INTACT: row {} is changed or missing\n", NumberOf(verdict, "brokenAt"));
  }
  return intact ? 0 : ExitStatus(ErrorCode::kCorrupt);
}

void AddVerify(CLI::App& audit, Session& session, const SharedOptions& options) {
  CLI::App* verify = audit.add_subcommand(
      "verify", "Look whether rows were changed or removed; exits with 11 when some were");
  verify->add_option(
      "--anchor",
      options->anchor,
      "NUMBER:HASH of a row, as noted earlier: tells also whether the end is missing "
      "or everything was rewritten");
  AddClientOptions(*verify, session);
  verify->footer("Example: tidemark audit verify --anchor 1234:9f86d0...");
  verify->callback([&session, options] {
    session.run = [&session, options] { return Verify(*options, session); };
  });
}

}  // namespace

void AddAudit(CLI::App& app, Session& session) {
  const auto options = std::make_shared<AuditOptions>();
  CLI::App* audit = app.add_subcommand("audit", "Who did what, newest first");
  audit->require_subcommand(0, 1);
  AddEnvironmentOption(
      *audit, "--project", options->project, "TIDEMARK_PROJECT", "of that project only");
  audit->add_option("--since", options->since, "from then on, e.g. 2026-11-25T10:00:00Z");
  audit->add_option("--until", options->until, "before then");
  audit->add_option("--actor", options->actor, "a key's public name, system or anonymous");
  audit->add_option("--operation", options->operation, "e.g. deleteSnapshot");
  audit->add_option("--limit", options->limit, "at most so many rows (default 100)")
      ->check(CLI::Range(std::int64_t{1}, kMostRows));
  AddClientOptions(*audit, session);
  audit->footer("Example: tidemark audit --since 2026-11-25T00:00:00Z --operation deleteSnapshot");
  AddVerify(*audit, session, options);
  audit->callback([audit, &session, options] {
    if (!audit->get_subcommands().empty()) {
      return;
    }
    session.run = [&session, options] {
      PrintList(session.output, Fetch(*options, session), kColumns);
      return 0;
    };
  });
}

}  // namespace tidemark::app
