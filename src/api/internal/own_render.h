#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "api/internal/call.h"
#include "domain/drill.h"
#include "domain/job.h"

namespace tidemark::api {

// The cluster of the project that the path names: a registered one by name, or by id one
// that was unregistered, whose snapshots and jobs stay reachable here (contract.md 8).
domain::Cluster FindOwnCluster(const Call& call);

// The progress member of snapshots and restore jobs; nothing without a job.
void AddProgress(boost::json::object& body, const std::optional<domain::Job>& job);

// The lastVerified member of clusters and snapshots; nothing without a drill.
void AddLastVerified(boost::json::object& body, const std::optional<domain::Drill>& drill);

// Instants that may be missing.
void AddInstant(boost::json::object& body,
                std::string_view name,
                const std::optional<Instant>& instant);
// Texts that may be empty.
void AddText(boost::json::object& body, std::string_view name, const std::string& text);

}  // namespace tidemark::api
