#pragma once

#include <string>

#include "base/secret.h"

namespace tidemark::mongo {

// Where a cluster is, for anybody to read. Either `standard` with `hosts`, or `standard_srv` is
// empty; all of it when only a local socket is known, or an unescaped `@` or `/` leaves open where
// the password ends.
struct PublicAddress {
  std::string hosts;         // "mongodb://a:27017,b:27017"
  std::string standard;      // the same with options: "mongodb://a:27017,b:27017/?replicaSet=rs0"
  std::string standard_srv;  // "mongodb+srv://name/?tls=true"
};

// Takes hosts and the options that say how to reach them (replicaSet, tls, authSource,
// directConnection, loadBalanced) out of a connection string. Everything else, first of all user
// and password, stays behind: what is not known to be harmless is not passed on. kInvalidArgument
// when the string is malformed. Does not connect or resolve names.
PublicAddress PublicAddressOf(const Secret& connection_string);

// Before a connection string is taken: throws kInvalidArgument when it is malformed, or when the
// driver takes what is behind an unescaped `@` or `/` of a password for a host or a database, so
// that messages would show it.
void CheckConnectionString(const Secret& connection_string);

}  // namespace tidemark::mongo
