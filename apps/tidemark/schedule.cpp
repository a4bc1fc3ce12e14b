#include <array>
#include <charconv>
#include <optional>

#include <boost/json/object.hpp>
#include <fmt/core.h>

#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

struct ScheduleOptions {
  std::string project;
  std::string cluster;
  bool on = false;
  bool off = false;
  std::string reference;
  std::int64_t keep_last = 0;
  std::int64_t verify_days = -1;  // not given
  std::vector<std::string> items;
  bool auto_export = false;
  bool no_auto_export = false;
  std::string export_bucket;
  std::string export_frequency;
  bool export_names = false;
  bool export_ids = false;
};

using SharedOptions =
    std::shared_ptr<ScheduleOptions>;  // shared by the parser's bindings and the actions

std::string SchedulePath(const ScheduleOptions& options) {
  return "/projects/" + PathPart(options.project) + "/clusters/" + PathPart(options.cluster) +
         "/schedule";
}

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

[[noreturn]] void RefuseOption(std::string_view option,
                               const std::string& value,
                               std::string hint) {
  throw Error(ErrorCode::kInvalidArgument,
              "reading --" + std::string(option) + ": \"" + value + "\" is not right",
              std::move(hint));
}

// "10:30".
void AddReference(const std::string& text, json::object& body) {
  const std::size_t colon = text.find(':');
  const auto hour = ParseNumber(std::string_view(text).substr(0, colon));
  const auto minute = colon == std::string::npos
                          ? std::nullopt
                          : ParseNumber(std::string_view(text).substr(colon + 1));
  if (!hour || !minute) {
    RefuseOption("reference", text, "give a time of day in UTC as HH:MM");
  }
  body["referenceHourOfDay"] = *hour;
  body["referenceMinuteOfHour"] = *minute;
}

std::string_view UnitOf(char letter) {
  constexpr std::array<std::string_view, 4> kUnits{"days", "weeks", "months", "years"};
  for (const std::string_view unit : kUnits) {
    if (unit.front() == letter) {
      return unit;
    }
  }
  return {};
}

// "weekly:6:4w": how often, at which interval, kept how long.
json::object ParseItem(const std::string& text) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  const bool three = first != std::string::npos && last > first && last + 2 < text.size();
  const std::string_view view(text);
  const auto interval =
      three ? ParseNumber(view.substr(first + 1, last - first - 1)) : std::nullopt;
  const auto retention =
      three ? ParseNumber(view.substr(last + 1, text.size() - last - 2)) : std::nullopt;
  const std::string_view unit = UnitOf(text.empty() ? ' ' : text.back());
  if (!interval || !retention || unit.empty()) {
    RefuseOption("item", text, "give FREQUENCY:INTERVAL:RETENTION, for example hourly:6:2d");
  }
  return {{"frequencyType", text.substr(0, first)},
          {"frequencyInterval", *interval},
          {"retentionUnit", unit},
          {"retentionValue", *retention}};
}

void AddExport(const ScheduleOptions& options, json::object& body) {
  if (options.auto_export || options.no_auto_export) {
    body["autoExportEnabled"] = options.auto_export;
  }
  if (options.export_names || options.export_ids) {
    body["useOrgAndGroupNamesInExportPrefix"] = options.export_names;
  }
  json::object target;
  if (!options.export_bucket.empty()) {
    target["exportBucketId"] = options.export_bucket;
  }
  if (!options.export_frequency.empty()) {
    target["frequencyType"] = options.export_frequency;
  }
  if (!target.empty()) {
    body["export"] = std::move(target);
  }
}

json::object ReadChange(const ScheduleOptions& options) {
  json::object body;
  AddExport(options, body);
  if (options.on || options.off) {
    body["enabled"] = options.on;
  }
  if (!options.reference.empty()) {
    AddReference(options.reference, body);
  }
  if (options.keep_last != 0) {
    body["keepLast"] = options.keep_last;
  }
  if (options.verify_days >= 0) {
    body["verifyIntervalDays"] = options.verify_days;
  }
  if (!options.items.empty()) {
    json::array items;
    for (const std::string& item : options.items) {
      items.push_back(ParseItem(item));
    }
    body["items"] = std::move(items);
  }
  if (body.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "changing the schedule of cluster " + options.cluster + ": no change is given",
                "tidemark schedule set --help");
  }
  return body;
}

// "monthly to 32b6e34b3d91647abb20e7b8", and that it is off when it is.
std::string ExportLine(const json::object& schedule, const json::value& target) {
  const json::value* enabled = schedule.if_contains("autoExportEnabled");
  const bool on = enabled != nullptr && enabled->is_bool() && enabled->get_bool();
  return fmt::format("{} to {}{}",
                     TextOf(target, "frequencyType"),
                     TextOf(target, "exportBucketId"),
                     on ? "" : " (off)");
}

// Items, the export and the last snapshot as one line each.
void Print(OutputFormat format, const json::value& schedule) {
  if (format == OutputFormat::kJson) {
    PrintObject(format, schedule);
    return;
  }
  json::object lines = schedule.as_object();
  std::string items;
  for (const json::value& item : ArrayOf(schedule, "items")) {
    items += fmt::format("{}{}:{}:{}{}",
                         items.empty() ? "" : " ",
                         TextOf(item, "frequencyType"),
                         NumberOf(item, "frequencyInterval"),
                         NumberOf(item, "retentionValue"),
                         TextOf(item, "retentionUnit").substr(0, 1));
  }
  lines["items"] = items;
  if (const json::value* target = lines.if_contains("export")) {
    lines["export"] = ExportLine(lines, *target);
  }
  if (const json::value* last = lines.if_contains("last")) {
    const std::string failure = TextOf(*last, "failure");
    lines["last"] = fmt::format("{} {} due {} attempt {}{}",
                                TextOf(*last, "snapshotId"),
                                TextOf(*last, "state"),
                                TextOf(*last, "due"),
                                NumberOf(*last, "attempt"),
                                failure.empty() ? "" : ": " + failure);
  }
  if (const json::value* verified = lines.if_contains("lastVerified")) {
    const std::string failure = TextOf(*verified, "failure");
    lines["lastVerified"] = fmt::format("{} {} in {} ms: {}",
                                        TextOf(*verified, "snapshotId"),
                                        TextOf(*verified, "finished"),
                                        NumberOf(*verified, "milliseconds"),
                                        failure.empty() ? "intact" : failure);
  }
  PrintObject(format, lines);
}

void AddExportOptions(CLI::App& set, const SharedOptions& options) {
  CLI::Option* on = set.add_flag("--auto-export",
                                 options->auto_export,
                                 "export completed snapshots of the frequency, each once");
  set.add_flag("--no-auto-export", options->no_auto_export, "export none")->excludes(on);
  set.add_option("--export-bucket", options->export_bucket, "id of the export bucket");
  set.add_option("--export-frequency", options->export_frequency)
      ->description("daily, weekly, monthly or yearly; the schedule has to have such an item")
      ->check(CLI::IsMember({"daily", "weekly", "monthly", "yearly"}));
  CLI::Option* names = set.add_flag(
      "--export-names", options->export_names, "names of organization and project in prefixes");
  set.add_flag("--export-ids", options->export_ids, "their ids")->excludes(names);
}

}  // namespace

void AddSchedule(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ScheduleOptions>();
  CLI::App* schedule =
      app.add_subcommand("schedule", "When snapshots are taken and how long they are kept");
  schedule->require_subcommand(1);

  CLI::App* show = AddProjectCommand(
      *schedule, "show", "The cluster's schedule and how it goes", session, options->project);
  show->add_option("cluster", options->cluster, "name of the cluster")->required();
  show->footer("Example: tidemark schedule show Cluster0 --project 32b6e34b3d91647abb20e7b8");
  show->callback([&session, options] {
    session.run = [&session, options] {
      Print(session.output, session.MakeClient().Get(SchedulePath(*options)));
      return 0;
    };
  });

  CLI::App* set = AddProjectCommand(
      *schedule, "set", "Change it; what is not named stays", session, options->project);
  set->add_option("cluster", options->cluster, "name of the cluster")->required();
  CLI::Option* on = set->add_flag("--on", options->on, "take scheduled snapshots");
  set->add_flag("--off", options->off, "take none; what there is still expires")->excludes(on);
  set->add_option(
      "--reference", options->reference, "time of day (UTC, HH:MM) that all counts from");
  set->add_option(
      "--keep-last", options->keep_last, "so many completed snapshots stay whatever their age");
  set->add_option("--verify-days",
                  options->verify_days,
                  "read all of the newest snapshot so often, as a restore would; 0: never")
      ->check(CLI::NonNegativeNumber);
  set->add_option("--item",
                  options->items,
                  "FREQUENCY:INTERVAL:RETENTION, may be repeated and replaces all: hourly:6:2d, "
                  "daily:1:7d, weekly:6:4w (Saturday), monthly:40:13m (last day), yearly:1:2y");
  AddExportOptions(*set, options);
  set->footer(
      "Example: tidemark schedule set Cluster0 --reference 02:30 --item hourly:6:2d --item "
      "daily:1:7d --project 32b6e34b3d91647abb20e7b8");
  set->callback([&session, options] {
    session.run = [&session, options] {
      Print(session.output,
            session.MakeClient().Patch(SchedulePath(*options), ReadChange(*options)));
      return 0;
    };
  });
}

}  // namespace tidemark::app
