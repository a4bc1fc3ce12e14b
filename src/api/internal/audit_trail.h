#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/internal/call.h"
#include "api/internal/routes.h"
#include "base/mutex.h"
#include "domain/audit.h"

// The one place where requests get their rows in the audit log (docs/audit.md).
namespace tidemark::api {

// Operations without a row in the route table.
inline constexpr std::string_view kUnknownOperation = "unknownOperation";
inline constexpr std::string_view kIssueToken = "issueToken";
inline constexpr std::string_view kRevokeToken = "revokeToken";

// So many at once, then one a second. Confined.
class RefusalBudget {
 public:
  static constexpr std::int64_t kBurst = 60;

  // False: too many.
  bool Take(Instant now);

 private:
  std::int64_t left_ = kBurst;
  Instant refilled_;
};

// Writes rows. Those of refused requests are bounded in rate, strangers' apart from those of known
// keys; how many were left out is told by the next row. Synchronized.
class AuditTrail {
 public:
  // All must outlive it.
  AuditTrail(catalog::AuditLog& audit, const Clock& clock, Log& log)
      : audit_(audit), clock_(clock), log_(log) {}

  // The row before a change; its number. Throws when it cannot be written: then nothing may be
  // changed.
  std::int64_t Begin(const domain::AuditEntry& entry);
  // A change that was not begun. Throws when it cannot be written.
  void Append(const domain::AuditEntry& entry);
  // The outcome of a change. A row that cannot be written is logged: the next start of the server
  // will tell that the outcome is unknown.
  void End(const domain::AuditEntry& entry);
  // A request that changed nothing; a row that cannot be written is logged.
  void Refuse(const domain::AuditEntry& entry) TIDEMARK_EXCLUDES(mutex_);

 private:
  void WriteOrLog(const domain::AuditEntry& entry);
  bool MayWriteRefusal(const domain::AuditEntry& entry) TIDEMARK_EXCLUDES(mutex_);
  std::int64_t Write(domain::AuditEntry entry) TIDEMARK_EXCLUDES(mutex_);

  catalog::AuditLog& audit_;
  const Clock& clock_;
  Log& log_;
  Mutex mutex_;
  RefusalBudget strangers_ TIDEMARK_GUARDED_BY(mutex_);
  RefusalBudget known_ TIDEMARK_GUARDED_BY(mutex_);
  std::int64_t skipped_ TIDEMARK_GUARDED_BY(mutex_) = 0;
};

// One request on its way through the edge, and what of it is known so far. Requests that only read
// (GET, HEAD) leave no row. Confined.
class AuditedRequest {
 public:
  // Both must outlive it.
  AuditedRequest(AuditTrail& trail, const http::Request& request);
  // A change that was begun and not told otherwise ended in an unexpected way.
  ~AuditedRequest();
  AuditedRequest(const AuditedRequest&) = delete;
  AuditedRequest& operator=(const AuditedRequest&) = delete;

  // `name` is the public name of a key that exists; empty: nobody that we know.
  void SetActor(std::string_view name);
  void SetOperation(std::string_view operation);
  // Operation, and what the path names as far as it has the form of a name or an id, whether there
  // is such a thing or not: nothing else that a request brings is kept.
  void SetTarget(const RouteTable::Match& match);
  // What the answer says was made.
  void SetMade(const boost::json::object& answer);

  // Before the handler runs. Throws kUnavailable when the row cannot be written.
  void Begin();
  // The answer, whether it was begun or not.
  void End(int status, std::string_view error_code);
  // The success of a change that was not begun and that nobody has been told of yet. Throws when
  // the row cannot be written.
  void EndUnannounced();

 private:
  AuditTrail& trail_;
  bool active_;
  bool ended_ = false;
  domain::AuditEntry entry_;
};

}  // namespace tidemark::api
