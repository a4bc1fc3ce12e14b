#pragma once

#include "mongo/cluster.h"
#include "repo/repository.h"

namespace tidemark::engine {

// Users and roles of a MongoDB server, as its admin database stores them. Blocks. What the login
// may not read is no error: `left_out` says so. Throws what IsRetryable, and kResourceExhausted
// beyond repo::kMaxAccounts.
repo::Accounts ReadAccounts(mongo::Connection& connection);

}  // namespace tidemark::engine
