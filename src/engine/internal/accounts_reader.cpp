#include "engine/internal/accounts_reader.h"

#include "base/error.h"

namespace tidemark::engine {
namespace {

constexpr std::string_view kDatabase = "admin";

// Reads the three collections within one bound.
class Reading {
 public:
  explicit Reading(mongo::Connection& connection) : connection_(connection) {}

  std::vector<Bytes> Read(std::string_view collection) {
    std::vector<Bytes> documents;
    connection_.ForEachDocument(kDatabase, collection, {}, [&](ByteView document) {
      bytes_ += document.size();
      if (bytes_ > repo::kMaxAccounts.value) {
        throw Error(ErrorCode::kResourceExhausted,
                    "reading users and roles: they are more than 64 MiB");
      }
      documents.emplace_back(document.begin(), document.end());
    });
    return documents;
  }

 private:
  mongo::Connection& connection_;
  std::size_t bytes_ = 0;
};

bool IsAuthSchema(const Bytes& document) {
  const auto id = bson::Document(document).Find("_id");
  return id && id->AsString().value_or("") == "authSchema";
}

}  // namespace

repo::Accounts ReadAccounts(mongo::Connection& connection) {
  repo::Accounts accounts;
  Reading reading(connection);
  try {
    accounts.users = reading.Read("system.users");
    accounts.roles = reading.Read("system.roles");
    for (Bytes& document : reading.Read("system.version")) {
      if (IsAuthSchema(document)) {
        accounts.schema = std::move(document);
      }
    }
  } catch (const Error& error) {
    if (IsRetryable(error.code()) || error.code() == ErrorCode::kResourceExhausted) {
      throw;
    }
    accounts = {};
    accounts.left_out = std::string(error.message());
  }
  return accounts;
}

}  // namespace tidemark::engine
