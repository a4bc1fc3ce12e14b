#pragma once

#include <string>

#include "mongo/cluster.h"
#include "repo/repository.h"

// Users and roles of a target.
namespace tidemark::delivery {

// Whether the login may replace them: tries to write where ReplaceAccounts does. kPermissionDenied
// with a hint when it may not.
void CheckAccountsWritable(mongo::Connection& connection);

// Makes the target's users those of the snapshot, and its roles, each where the snapshot has any,
// with the command that mongorestore uses. Our own login, and the roles that it has, stay as they
// are on the target, whatever the snapshot says. Read back: kConflict when they differ. May be
// repeated.
void ReplaceAccounts(mongo::Connection& connection, const repo::Accounts& accounts);

// What a person is told of a snapshot whose login might not read them. REQUIRES: it says why.
std::string AccountsNotTaken(const repo::Accounts& accounts);

}  // namespace tidemark::delivery
