#include "api/internal/auto_export.h"

#include <array>

#include "api/internal/failure.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kBucket = "exportBucketId";
constexpr std::string_view kFrequency = "frequencyType";

constexpr std::array kExportFields{Field{kBucket, FieldType::kObjectId, FieldUse::kOptional},
                                   Field{kFrequency, FieldType::kString, FieldUse::kOptional}};

// openapi.json lists monthly and yearly only; Terraform's provider asks for daily exports, too.
domain::Frequency FrequencyOf(const std::string& name) {
  const auto frequency = domain::ParseFrequency(name);
  if (!frequency || frequency == domain::Frequency::kHourly) {
    throw Refused(
        400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {name});
  }
  return *frequency;
}

std::optional<bool> OptionalFlag(const json::object& body, const Field& field) {
  return body.contains(field.name) ? std::optional(FlagOf(body, field.name)) : std::nullopt;
}

}  // namespace

AutoExportChange ReadAutoExport(const json::object& body) {
  AutoExportChange change;
  change.enabled = OptionalFlag(body, kAutoExportField);
  change.names_in_prefix = OptionalFlag(body, kExportNamesField);
  const json::value* found = body.if_contains(kExportField.name);
  if (found == nullptr) {
    return change;
  }
  const json::object target = CheckFields(found->get_object(), kExportFields);
  if (target.contains(kBucket)) {
    change.bucket = IdOf<domain::ExportBucketId>(target, kBucket);
  }
  if (target.contains(kFrequency)) {
    change.frequency = FrequencyOf(StringOf(target, kFrequency));
  }
  return change;
}

std::string ApplyAutoExport(const AutoExportChange& change, domain::Schedule& schedule) {
  schedule.auto_export = change.enabled.value_or(schedule.auto_export);
  schedule.names_in_export_prefix =
      change.names_in_prefix.value_or(schedule.names_in_export_prefix);
  if (!change.bucket && !change.frequency) {
    return "";
  }
  if (!schedule.export_to && !(change.bucket && change.frequency)) {
    return "export: it needs exportBucketId and frequencyType";
  }
  domain::AutoExport to = schedule.export_to.value_or(domain::AutoExport());
  to.bucket = change.bucket.value_or(to.bucket);
  to.frequency = change.frequency.value_or(to.frequency);
  schedule.export_to = to;
  return "";
}

void AddAutoExport(json::object& body, const domain::Schedule& schedule) {
  body[kAutoExportField.name] = schedule.auto_export;
  if (schedule.export_to) {
    body[kExportField.name] =
        json::object{{kBucket, schedule.export_to->bucket.ToString()},
                     {kFrequency, domain::FrequencyName(schedule.export_to->frequency)}};
  }
  body[kExportNamesField.name] = schedule.names_in_export_prefix;
}

}  // namespace tidemark::api
