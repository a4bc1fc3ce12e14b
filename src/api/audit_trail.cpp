#include "api/internal/audit_trail.h"

#include <algorithm>
#include <utility>

namespace tidemark::api {

bool RefusalBudget::Take(Instant now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now - refilled_).count();
  if (seconds != 0) {  // negative: the clock was set back
    left_ = std::min(kBurst, left_ + std::max<std::int64_t>(seconds, 0));
    refilled_ = now;
  }
  if (left_ == 0) {
    return false;
  }
  --left_;
  return true;
}

std::int64_t AuditTrail::Begin(const domain::AuditEntry& entry) {
  return Write(entry);
}

void AuditTrail::Append(const domain::AuditEntry& entry) {
  Write(entry);
}

void AuditTrail::End(const domain::AuditEntry& entry) {
  WriteOrLog(entry);
}

void AuditTrail::Refuse(const domain::AuditEntry& entry) {
  if (MayWriteRefusal(entry)) {
    WriteOrLog(entry);
  }
}

void AuditTrail::WriteOrLog(const domain::AuditEntry& entry) {
  try {
    Write(entry);
  } catch (const Error& error) {
    log_.Error("request={} operation={} actor={} status={}  cannot write the audit row: {}",
               entry.request,
               entry.operation,
               entry.actor,
               entry.status,
               error.message());
  }
}

bool AuditTrail::MayWriteRefusal(const domain::AuditEntry& entry) {
  const Instant now = clock_.Now();
  const MutexLock lock(mutex_);
  RefusalBudget& budget = entry.actor == domain::kUnknownActor ? strangers_ : known_;
  if (budget.Take(now)) {
    return true;
  }
  ++skipped_;
  return false;
}

std::int64_t AuditTrail::Write(domain::AuditEntry entry) {
  {
    const MutexLock lock(mutex_);
    entry.skipped = std::exchange(skipped_, 0);
  }
  entry.at = clock_.Now();
  try {
    return audit_.AppendAudit(entry);
  } catch (const Error&) {
    const MutexLock lock(mutex_);
    skipped_ += entry.skipped;
    throw;
  }
}

AuditedRequest::AuditedRequest(AuditTrail& trail, const http::Request& request)
    : trail_(trail),
      active_(request.method != http::Method::kGet && request.method != http::Method::kHead) {
  entry_.request = request.request_id;
  entry_.address = request.remote_address;
  entry_.actor = domain::kUnknownActor;
  entry_.operation = kUnknownOperation;
}

AuditedRequest::~AuditedRequest() {
  if (entry_.begun && !ended_) {
    End(500, "UNEXPECTED_ERROR");
  }
}

void AuditedRequest::SetActor(std::string_view name) {
  entry_.actor = name.empty() ? domain::kUnknownActor : name;
}

void AuditedRequest::SetOperation(std::string_view operation) {
  entry_.operation = operation;
}

void AuditedRequest::SetTarget(const RouteTable::Match& match) {
  if (match.route == nullptr) {
    return;
  }
  entry_.operation = match.route->operation;
  active_ = active_ || match.route->gives == Gives::kData;
  for (const auto& [name, value] : match.parameters.values) {
    const bool names_cluster = name == "clusterName" || name == "name";  // of a flex cluster
    if (names_cluster && domain::IsClusterName(value)) {
      entry_.cluster = value;
    } else if (name == "groupId") {
      entry_.project = ProjectId::Parse(value).value_or(ProjectId());
    } else if (!names_cluster && ObjectId::Parse(value)) {
      entry_.object = value;
    }
  }
}

void AuditedRequest::SetMade(const boost::json::object& answer) {
  const auto* id = answer.if_contains(answer.contains("_id") ? "_id" : "id");  // export buckets
  if (id != nullptr && id->is_string() && ObjectId::Parse(id->get_string())) {
    entry_.object = id->get_string();
  }
}

void AuditedRequest::Begin() {
  if (!active_) {
    return;
  }
  entry_.phase = domain::AuditPhase::kBegun;
  entry_.begun = trail_.Begin(entry_);
}

void AuditedRequest::End(int status, std::string_view error_code) {
  ended_ = true;
  if (!active_) {
    return;
  }
  entry_.phase = domain::AuditPhase::kEnded;
  entry_.status = status;
  entry_.error_code = error_code;
  if (entry_.begun) {
    trail_.End(entry_);
  } else {
    trail_.Refuse(entry_);
  }
}

void AuditedRequest::EndUnannounced() {
  ended_ = true;
  entry_.status = 200;
  trail_.Append(entry_);
}

}  // namespace tidemark::api
