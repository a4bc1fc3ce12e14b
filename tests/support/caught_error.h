#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

// What tests look at of an error that they expect.
namespace tidemark {

// The error that `call` throws; when it throws none the test fails.
template <class Call>
Error Catch(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::kInternal, "");
}

struct Failure {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <class Call>
Failure FailureOf(const Call& call) {
  const Error error = Catch(call);
  return {error.code(), std::string(error.message())};
}

}  // namespace tidemark
