#include "mongo/internal/uri.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "mongo/driver_library.h"
#include "mongo/public_address.h"

namespace tidemark::mongo {
namespace {

// Starts and ends the driver once per process; mongoc_init may be called only once.
class Driver {
 public:
  static void Start() { static const Driver driver; }

  ~Driver() { mongoc_cleanup(); }

  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

 private:
  Driver() {
    SilenceDriver();
    mongoc_init();
  }
};

std::string Escape(std::string_view text) {
  constexpr std::string_view kPlain = "-_.~$";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return escaped;
}

// Whether login and hosts are told apart for sure. A password with a `/` or `@` that nobody has
// escaped makes the driver take a part of it for a host or a database.
bool IsClear(const Secret& connection_string, const mongoc_uri_t* uri) {
  const auto signs = std::ranges::count(connection_string.Reveal(), '@');
  return signs == (mongoc_uri_get_username(uri) == nullptr ? 0 : 1);
}

// "a:27017,b:27017". A socket's path says nothing to others and is left out.
std::string HostsOf(const mongoc_uri_t* uri) {
  std::string hosts;
  for (const mongoc_host_list_t* host = mongoc_uri_get_hosts(uri); host != nullptr;
       host = host->next) {
    if (std::string_view(host->host).find('/') == std::string_view::npos) {
      hosts += (hosts.empty() ? "" : ",") + std::string(host->host_and_port);
    }
  }
  return hosts;
}

// "/?replicaSet=rs0", or "/".
std::string OptionsOf(const mongoc_uri_t* uri) {
  std::string options;
  const auto add = [&](std::string_view name, std::string_view value) {
    options += (options.empty() ? "?" : "&") + std::string(name) + "=" + Escape(value);
  };
  const auto add_flag = [&](std::string_view name, const char* option) {
    if (mongoc_uri_has_option(uri, option)) {
      add(name, mongoc_uri_get_option_as_bool(uri, option, false) ? "true" : "false");
    }
  };
  add_flag("tls", MONGOC_URI_TLS);
  // Of a login that the reader does not get: another one is most likely kept in the same place.
  if (mongoc_uri_get_username(uri) != nullptr) {
    add("authSource", mongoc_uri_get_auth_source(uri));
  }
  if (const char* name = mongoc_uri_get_replica_set(uri)) {
    add("replicaSet", name);
  }
  add_flag("directConnection", MONGOC_URI_DIRECTCONNECTION);
  add_flag("loadBalanced", MONGOC_URI_LOADBALANCED);
  return "/" + options;
}

}  // namespace

UriHandle ParseUri(const Secret& connection_string) {
  Driver::Start();
  bson_error_t error;
  UriHandle uri(mongoc_uri_new_with_error(connection_string.Reveal().c_str(), &error));
  if (uri == nullptr) {
    // The driver's text may quote the string, password included.
    throw Error(ErrorCode::kInvalidArgument,
                "reading a connection string: it is malformed",
                "its form is mongodb://[user:password@]host[:port][,...]/[database][?options]; "
                "percent-encode special characters in user and password");
  }
  return uri;
}

void CheckConnectionString(const Secret& connection_string) {
  const UriHandle uri = ParseUri(connection_string);
  const auto holds_sign = [](const char* text) {
    return text != nullptr && std::string_view(text).find('@') != std::string_view::npos;
  };
  bool mistaken = holds_sign(mongoc_uri_get_database(uri.get())) ||
                  holds_sign(mongoc_uri_get_srv_hostname(uri.get()));
  for (const mongoc_host_list_t* host = mongoc_uri_get_hosts(uri.get()); host != nullptr;
       host = host->next) {
    mistaken = mistaken || holds_sign(host->host);
  }
  if (mistaken) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading a connection string: it is not clear where the password ends",
                "percent-encode special characters in user and password: @ is %40, / is %2F");
  }
}

PublicAddress PublicAddressOf(const Secret& connection_string) {
  const UriHandle uri = ParseUri(connection_string);
  PublicAddress address;
  if (!IsClear(connection_string, uri.get())) {
    return address;
  }
  if (const char* name = mongoc_uri_get_srv_hostname(uri.get())) {
    address.standard_srv = "mongodb+srv://" + std::string(name) + OptionsOf(uri.get());
    return address;
  }
  const std::string hosts = HostsOf(uri.get());
  if (!hosts.empty()) {
    address.hosts = "mongodb://" + hosts;
    address.standard = address.hosts + OptionsOf(uri.get());
  }
  return address;
}

}  // namespace tidemark::mongo
