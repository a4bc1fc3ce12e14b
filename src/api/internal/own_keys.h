#pragma once

#include <chrono>
#include <optional>

#include <boost/json/object.hpp>

#include "api/internal/call.h"

// What the files about keys share.
namespace tidemark::api {

// A key with its private key or client secret: the only time that it is shown.
boost::json::object RenderNewKey(const service::AccessService::NewKey& made);

// The path's {keyId}; KEY_NOT_FOUND when it is no id.
KeyId KeyIdOf(const Call& call);

// Member secretExpiresAfterHours; nullopt: never.
std::optional<std::chrono::hours> SecretLifeOf(const Call& call, const boost::json::object& body);

}  // namespace tidemark::api
