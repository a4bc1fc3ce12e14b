#pragma once

#include <optional>
#include <string_view>

#include "base/object_id.h"

namespace tidemark::domain {

// How often an item of a schedule is due. Persistent: never renumber.
enum class Frequency { kHourly = 0, kDaily = 1, kWeekly = 2, kMonthly = 3, kYearly = 4 };

// Of a schedule's policy, and of one of its items. An item keeps its id while it exists, and what
// was taken for it names it by that.
using PolicyId = TypedId<struct PolicyTag>;
using PolicyItemId = TypedId<struct PolicyItemTag>;

// "hourly", "daily", "weekly", "monthly", "yearly", and back.
std::string_view FrequencyName(Frequency frequency);
std::optional<Frequency> ParseFrequency(std::string_view name);

}  // namespace tidemark::domain
