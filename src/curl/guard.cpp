#include "curl/guard.h"

#include <utility>

#include <sys/socket.h>

namespace tidemark::curl {

TransferGuard::TransferGuard(std::function<bool(const sockaddr& address)> may_connect,
                             std::stop_token stop)
    : may_connect_(std::move(may_connect)), stop_(std::move(stop)) {}

void TransferGuard::Attach(CURL* easy) {
  const auto set = [easy](CURLoption option, auto value) {
    CheckOption(curl_easy_setopt(easy, option, value));
  };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // also not the environment's: it would connect in our place
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_OPENSOCKETFUNCTION, &TransferGuard::OpenSocket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &TransferGuard::AskStop);
  set(CURLOPT_XFERINFODATA, this);
}

curl_socket_t TransferGuard::OpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address) {
  auto* guard = static_cast<TransferGuard*>(self);
  if (purpose != CURLSOCKTYPE_IPCXN || !guard->may_connect_(address->addr)) {
    guard->refused_ = true;
    return CURL_SOCKET_BAD;
  }
  guard->refused_ = false;  // another address of the name
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int TransferGuard::AskStop(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<TransferGuard*>(self)->stop_.stop_requested() ? 1 : 0;
}

}  // namespace tidemark::curl
