#include "api/internal/access_list.h"

#include <boost/json/object.hpp>
#include <fmt/core.h>

#include "api/internal/failure.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

std::string ExpandedText(const domain::Address& address) {
  if (address.IsV4()) {
    return address.ToString();
  }
  std::string text;
  for (std::size_t i = 0; i < address.bytes().size(); i += 2) {
    const int group = address.bytes()[i] * 256 + address.bytes()[i + 1];
    text += fmt::format("{}{:x}", text.empty() ? "" : ":", group);
  }
  return text;
}

}  // namespace

json::array RenderAtlasAccessList(const domain::Key& key) {
  json::array list;
  for (const domain::Network& network : key.access_list) {
    const std::string address = ExpandedText(network.address());
    const std::string block = network.ToString();
    json::object entry;
    entry["cidrBlock"] = address + block.substr(block.find('/'));
    entry["ipAddress"] = nullptr;
    if (network.IsOneAddress()) {
      entry["ipAddress"] = address;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

json::array RenderAccessList(const domain::Key& key) {
  json::array list;
  for (const domain::Network& network : key.access_list) {
    list.emplace_back(network.ToString());
  }
  return list;
}

std::vector<domain::Network> ReadAccessList(const json::array& entries) {
  if (entries.size() > domain::kMaxAccessList) {
    throw InvalidValue("accessList",
                       "has more than " + std::to_string(domain::kMaxAccessList) + " entries");
  }
  std::vector<domain::Network> networks;
  for (const json::value& entry : entries) {
    const auto network = entry.is_string()
                             ? domain::Network::Parse(std::string_view(entry.get_string()))
                             : std::nullopt;
    if (!network) {
      throw InvalidValue("accessList",
                         "entry " + std::to_string(networks.size() + 1) +
                             " is no address or CIDR block such as 192.0.2.0/24, whose bits behind "
                             "the prefix are 0");
    }
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace tidemark::api
