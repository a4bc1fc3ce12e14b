#include "api/internal/policy_items.h"

#include <array>

#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kOnDemand = "ondemand";
constexpr int kMaxNumber = 1'000'000;  // more than any rule allows, and no overflow

constexpr std::array kItemFields{
    Field{"id", FieldType::kString, FieldUse::kOptional},
    Field{"frequencyType", FieldType::kString, FieldUse::kOptional},
    Field{"frequencyInterval", FieldType::kAny, FieldUse::kOptional},
    Field{"retentionUnit", FieldType::kString, FieldUse::kOptional},
    Field{"retentionValue", FieldType::kAny, FieldUse::kOptional},
};

int NumberIn(const Call& call, const json::object& item, std::string_view name) {
  const std::int64_t number = IntegerOf(call, item, name).value_or(0);
  if (number < -kMaxNumber || number > kMaxNumber) {
    RefuseBackupPolicy(std::string(name) + " is out of range");
  }
  return static_cast<int>(number);
}

[[noreturn]] void RefuseEnumValue(const std::string& value) {
  throw Refused(
      400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {value});
}

}  // namespace

void RefuseBackupPolicy(const std::string& problem) {
  const auto colon = problem.find(": ");
  const bool named = colon != std::string::npos && problem.find(' ') > colon;
  throw Refused(400,
                "INVALID_BACKUP_POLICY",
                "The backup policy is invalid: {0}.",
                {named ? problem.substr(colon + 2) : problem});
}

ItemRequest ReadItem(const Call& call, std::string_view member, const json::value& value) {
  if (!value.is_object()) {
    throw InvalidJsonAttribute(member, "objects");
  }
  const json::object item = CheckFields(value.get_object(), kItemFields);
  for (const std::string_view name :
       {"frequencyType", "frequencyInterval", "retentionUnit", "retentionValue"}) {
    if (!item.contains(name)) {
      throw Refused(400,
                    "MISSING_POLICY_ITEM_PARAMETERS",
                    "A policy item needs frequencyType, frequencyInterval, retentionUnit and "
                    "retentionValue.");
    }
  }
  ItemRequest request;
  request.id = StringOf(item, "id");
  const std::string frequency = StringOf(item, "frequencyType");
  request.frequency = domain::ParseFrequency(frequency);
  if (!request.frequency && frequency != kOnDemand) {
    RefuseEnumValue(frequency);
  }
  const std::string unit = StringOf(item, "retentionUnit");
  const auto parsed = domain::ParseRetentionUnit(unit);
  if (!parsed) {
    RefuseEnumValue(unit);
  }
  request.unit = *parsed;
  request.interval = NumberIn(call, item, "frequencyInterval");
  request.retention = NumberIn(call, item, "retentionValue");
  return request;
}

json::object RenderItem(const domain::PolicyItemId& id,
                        std::string_view frequency,
                        int interval,
                        domain::RetentionUnit unit,
                        int retention) {
  return {{"id", id.ToString()},
          {"frequencyType", frequency},
          {"frequencyInterval", interval},
          {"retentionUnit", domain::RetentionUnitName(unit)},
          {"retentionValue", retention}};
}

}  // namespace tidemark::api
