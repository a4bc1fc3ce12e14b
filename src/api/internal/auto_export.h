#pragma once

#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "api/internal/request_body.h"
#include "domain/schedule.h"

// What a schedule exports by itself. Atlas' cloud backup and our own API spell it alike.
namespace tidemark::api {

inline constexpr Field kAutoExportField{"autoExportEnabled", FieldType::kBoolean};
inline constexpr Field kExportField{"export", FieldType::kObject};
inline constexpr Field kExportNamesField{"useOrgAndGroupNamesInExportPrefix", FieldType::kBoolean};

// What a PATCH asks for; absent members change nothing, those of `export` neither.
struct AutoExportChange {
  std::optional<bool> enabled;
  std::optional<bool> names_in_prefix;
  std::optional<domain::ExportBucketId> bucket;
  std::optional<domain::Frequency> frequency;
};

// From a body of ReadBody with the fields above. INVALID_ATTRIBUTE, INVALID_JSON_ATTRIBUTE,
// VALIDATION_ERROR, INVALID_ENUM_VALUE.
AutoExportChange ReadAutoExport(const boost::json::object& body);
// What is wrong with the result and domain::ScheduleProblem cannot know; empty when nothing is.
std::string ApplyAutoExport(const AutoExportChange& change, domain::Schedule& schedule);
// `export` is left out when there is none.
void AddAutoExport(boost::json::object& body, const domain::Schedule& schedule);

}  // namespace tidemark::api
