#pragma once

#include <string>
#include <string_view>

namespace tidemark::service {

// What the secrets in the catalog are sealed under, beside the master key. Persistent.

// Of an API key's HA1.
inline std::string Ha1Label(std::string_view public_key) {
  return "ha1:" + std::string(public_key);
}

// Of a cluster's connection string.
inline std::string UriLabel(std::string_view cluster_id) {
  return "connection-string:" + std::string(cluster_id);
}

// Of the key in a download's links.
inline std::string DownloadKeyLabel(std::string_view restore_id) {
  return "download-key:" + std::string(restore_id);
}

// Of a notice channel's URL, and of its signature or login.
inline std::string ChannelUrlLabel(std::string_view channel_id) {
  return "notice-url:" + std::string(channel_id);
}

// Of the secret key of an export target.
inline std::string ExportTargetLabel(std::string_view target_id) {
  return "export-target:" + std::string(target_id);
}

inline std::string ChannelSecretLabel(std::string_view channel_id) {
  return "notice-secret:" + std::string(channel_id);
}

}  // namespace tidemark::service
