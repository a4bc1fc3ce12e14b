#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/internal/call.h"
#include "domain/schedule.h"

// Policy items as schedules and compliance policies of the Atlas families spell them.
namespace tidemark::api {

// An item of a request. Whether its numbers are right is for the domain's rules.
struct ItemRequest {
  std::string id;                              // empty: none; not checked
  std::optional<domain::Frequency> frequency;  // absent: "ondemand"
  int interval = 0;
  domain::RetentionUnit unit = domain::RetentionUnit::kDays;
  int retention = 0;
};

// Throws MISSING_POLICY_ITEM_PARAMETERS, INVALID_ENUM_VALUE, INVALID_ATTRIBUTE,
// INVALID_JSON_ATTRIBUTE, INVALID_BACKUP_POLICY (a number out of any range).
ItemRequest ReadItem(const Call& call, std::string_view member, const boost::json::value& value);

boost::json::object RenderItem(const domain::PolicyItemId& id,
                               std::string_view frequency,
                               int interval,
                               domain::RetentionUnit unit,
                               int retention);

// INVALID_BACKUP_POLICY; `problem` may begin with a member's name and a colon.
[[noreturn]] void RefuseBackupPolicy(const std::string& problem);

}  // namespace tidemark::api
