#include <fmt/core.h>

#include "base/one_line.h"
#include "command.h"
#include "exit_status.h"
#include "output.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

struct NotifyOptions {
  std::string project;
  std::string id;
  std::string kind = "webhook";
  std::string url;
  std::string secret;
  std::string from;
  std::vector<std::string> to;
  std::string username;
  std::vector<std::string> events;
};

using SharedOptions =
    std::shared_ptr<NotifyOptions>;  // shared by the parser's bindings and the actions

std::string NotificationsPath(const NotifyOptions& options) {
  return "/projects/" + PathPart(options.project) + "/notifications";
}

json::array Texts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

json::object Registration(const NotifyOptions& options) {
  json::object body{{"kind", options.kind}, {"url", options.url}};
  const auto add = [&body](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      body[name] = value;
    }
  };
  add(options.kind == "email" ? "password" : "secret", options.secret);
  add("from", options.from);
  add("username", options.username);
  if (!options.to.empty()) {
    body["to"] = Texts(options.to);
  }
  if (!options.events.empty()) {
    body["events"] = Texts(options.events);
  }
  return body;
}

std::string EventsText(const json::value& row) {
  std::string text;
  for (const json::value& event : row.at("events").as_array()) {
    text += (text.empty() ? "" : ",") + std::string(event.as_string());
  }
  return text;
}

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("KIND", "kind"),
                                   Member("ADDRESS", "address"),
                                   {"EVENTS", EventsText},
                                   Member("WAITING", "waiting"),
                                   Member("GIVEN UP", "givenUp"),
                                   Member("LAST DELIVERED", "lastDelivered"),
                                   Member("LAST ERROR", "lastError")};

int Test(const NotifyOptions& options, Session& session) {
  const json::value result = session.MakeClient().Post(
      NotificationsPath(options) + "/" + PathPart(options.id) + "/test", json::object());
  if (session.output == OutputFormat::kJson) {
    PrintJson(result);
  }
  if (result.at("delivered").as_bool()) {
    if (session.output == OutputFormat::kTable) {
      fmt::print("delivered\n");
    }
    return 0;
  }
  fmt::print(stderr, "error: not delivered: {}\n", OneLine(TextOf(result, "error")));
  return ExitStatus(ErrorCode::kUnavailable);
}

void AddAdd(CLI::App& notify, Session& session, const SharedOptions& options) {
  CLI::App* add = AddProjectCommand(
      notify, "add", "Tell a webhook or mail addresses what fails", session, options->project);
  add->add_option("--kind", options->kind, "webhook (default) or email")
      ->check(CLI::IsMember({"webhook", "email"}));
  add->add_option(
         "--address", options->url, "https://... of the webhook, smtp://HOST[:PORT] of mail")
      ->required();
  AddEnvironmentOption(*add,
                       "--secret",
                       options->secret,
                       "TIDEMARK_NOTIFY_SECRET",
                       "secret of the webhook's signature, or mail password; better given by the "
                       "environment");
  add->add_option("--from", options->from, "sender of mail");
  add->add_option("--to", options->to, "receiver of mail; may be repeated");
  add->add_option("--username", options->username, "login of the mail server");
  add->add_option("--event",
                  options->events,
                  "SNAPSHOT_FAILED, RESTORE_FAILED, SCHEDULE_MISSED, VERIFICATION_FAILED or "
                  "EXPORT_FAILED; may be repeated (default: all)");
  add->footer(
      "Examples: tidemark notify add --address https://hooks.example.org/backup --project "
      "32b6e34b3d91647abb20e7b8\n"
      "          tidemark notify add --kind email --address smtp://mail.example.org --from "
      "tidemark@example.org --to ops@example.org --project 32b6e34b3d91647abb20e7b8");
  add->callback([&session, options] {
    session.run = [&session, options] {
      PrintObject(session.output,
                  session.MakeClient().Post(NotificationsPath(*options), Registration(*options)));
      return 0;
    };
  });
}

CLI::App* AddWithId(CLI::App& notify,
                    const char* name,
                    const char* help,
                    Session& session,
                    const SharedOptions& options) {
  CLI::App* command = AddProjectCommand(notify, name, help, session, options->project);
  command->add_option("id", options->id, "the notification's id")->required();
  command->footer("Example: tidemark notify " + std::string(name) +
                  " 32b6e34b3d91647abb20e7b9 --project 32b6e34b3d91647abb20e7b8");
  return command;
}

}  // namespace

void AddNotify(CLI::App& app, Session& session) {
  const auto options = std::make_shared<NotifyOptions>();
  CLI::App* notify =
      app.add_subcommand("notify", "Who is told of failed snapshots, restores and checks");
  notify->require_subcommand(1);
  AddAdd(*notify, session, options);

  CLI::App* list =
      AddProjectCommand(*notify, "list", "The project's notifications", session, options->project);
  list->footer("Example: tidemark notify list --project 32b6e34b3d91647abb20e7b8");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(NotificationsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* remove =
      AddWithId(*notify, "remove", "Tell it nothing more; what waits is dropped", session, options);
  remove->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(NotificationsPath(*options) + "/" + PathPart(options->id));
      return 0;
    };
  });

  CLI::App* test =
      AddWithId(*notify, "test", "Send a test now and show whether it arrived", session, options);
  test->callback([&session, options] {
    session.run = [&session, options] { return Test(*options, session); };
  });
}

}  // namespace tidemark::app
