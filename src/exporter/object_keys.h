#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// What the objects of an export are called: as Atlas calls them (its documentation, "Export Cloud
// Backup Snapshot"), and distinct for any names. Pure.
namespace tidemark::exporter {

inline constexpr std::string_view kRoot = "exported_snapshots";
// An empty object that is written to see whether a bucket can be.
inline constexpr std::string_view kPermissionCheck = "exported_snapshots/.permissioncheck";

// The name of a database, collection or replica set as one component of a key: itself, but for
// '/', '%', '\', control characters and bytes that are no UTF-8, which become %XX, and "." and
// "..", whose dots do. One of more than 200 bytes then is cut and ends in "%~" and a hash; the
// metadata has the whole name.
std::string KeyComponent(std::string_view name);

// "<prefix>/<database>/<collection>/metadata.json".
std::string MetadataKey(std::string_view prefix,
                        std::string_view database,
                        std::string_view collection);
// "<prefix>/<database>/<collection>/<shard>.<part>.json.gz".
std::string DocumentsKey(std::string_view prefix,
                         std::string_view database,
                         std::string_view collection,
                         std::string_view shard,
                         std::uint32_t part);
// "<prefix>/.complete".
std::string CompleteKey(std::string_view prefix);

}  // namespace tidemark::exporter
