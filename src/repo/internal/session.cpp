#include "repo/internal/session.h"

#include "base/error.h"

namespace tidemark::repo {
namespace {

bool TakesNoWrites(ErrorCode code) {
  return code == ErrorCode::kResourceExhausted || code == ErrorCode::kPermissionDenied ||
         code == ErrorCode::kIo;
}

}  // namespace

Session::Session(Project& project) : project_(project), id_(SessionId::Generate(project.random())) {
  try {
    project_.store().Put(SessionName(project_.keys().project(), id_), {});
  } catch (const Error& error) {
    Remove();  // it may be there although the answer was lost
    throw error.WithContext("beginning a session");
  }
}

Session::~Session() {
  Remove();
}

void Session::Remove() {
  try {
    project_.store().Delete(SessionName(project_.keys().project(), id_));
  } catch (const Error&) {
    project_.RememberEndedSession(id_);
  }
}

std::unique_ptr<Session> BeginReading(Project& project) {
  try {
    return std::make_unique<Session>(project);
  } catch (const Error& error) {
    if (!TakesNoWrites(error.code())) {
      throw;
    }
    return nullptr;
  }
}

}  // namespace tidemark::repo
