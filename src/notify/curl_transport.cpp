#include <algorithm>
#include <cstring>

#include "curl/guard.h"
#include "curl/handles.h"
#include "notify/transport.h"

namespace tidemark::notify {
namespace {

using curl::Append;
using curl::CheckOption;
using curl::CurlLibrary;
using curl::EasyHandle;
using curl::ListHandle;
using curl::ThrowCurlError;

constexpr std::size_t kMaxAnswer = 64U << 10;  // bytes; nobody reads it

// One transfer. Confined; its address must not change, for the library keeps it.
class Transfer {
 public:
  Transfer(const TransportOptions& options, const OpenChannel& channel, const std::stop_token& stop)
      : channel_(channel),
        guard_([loopback = options.loopback](
                   const sockaddr& address) { return IsAllowedAddress(address, loopback); },
               stop),
        easy_(curl_easy_init()) {
    if (!easy_) {
      throw Error(ErrorCode::kResourceExhausted, "preparing a transfer: no memory");
    }
    guard_.Attach(easy_.get());
    Set(CURLOPT_URL, channel.url.Reveal().c_str());
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
    Set(CURLOPT_WRITEFUNCTION, &Transfer::Drop);
    Set(CURLOPT_WRITEDATA, this);
  }

  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  template <class T>
  void Set(CURLoption option, T value) {
    CheckOption(curl_easy_setopt(easy_.get(), option, value));
  }

  // What is uploaded; borrowed.
  void SetUpload(std::string_view text) {
    upload_ = text;
    Set(CURLOPT_UPLOAD, 1L);
    Set(CURLOPT_READFUNCTION, &Transfer::Read);
    Set(CURLOPT_READDATA, this);
    Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(text.size()));
  }

  // The reply's code. Throws when there was none, or the transfer was cut.
  long Perform() {
    const CURLcode code = curl_easy_perform(easy_.get());
    long reply = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &reply);
    if (guard_.refused()) {
      throw Error(ErrorCode::kPermissionDenied,
                  Doing() + ": its address is not allowed",
                  "docs/notifications.md says which are");
    }
    // An answer longer than what we read has told its code all the same.
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && answer_ > kMaxAnswer)) {
      ThrowCurlError(code, reply, Doing());
    }
    return reply;
  }

  std::string Doing() const { return "sending to " + channel_.shown_address; }

 private:
  static std::size_t Drop(char*, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    transfer->answer_ += size * count;
    return transfer->answer_ > kMaxAnswer ? 0 : size * count;
  }

  static std::size_t Read(char* out, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    const std::size_t taken = std::min(size * count, transfer->upload_.size());
    std::memcpy(out, transfer->upload_.data(), taken);
    transfer->upload_.remove_prefix(taken);
    return taken;
  }

  const OpenChannel& channel_;
  curl::TransferGuard guard_;
  const EasyHandle easy_;
  std::string_view upload_;
  std::size_t answer_ = 0;
};

class CurlTransport final : public Transport {
 public:
  CurlTransport(const TransportOptions& options, const Clock& clock)
      : options_(options), clock_(clock) {}

  void Send(const OpenChannel& channel,
            const Message& message,
            const std::stop_token& stop) override {
    Transfer transfer(options_, channel, stop);
    switch (channel.kind) {
      case domain::ChannelKind::kWebhook:
        return Post(transfer, channel, message);
      case domain::ChannelKind::kEmail:
        return Mail(transfer, channel, message);
    }
  }

 private:
  void Post(Transfer& transfer, const OpenChannel& channel, const Message& message) {
    const std::string body = RenderJson(message);
    const auto timestamp = ToMicros(clock_.Now()) / 1'000'000;
    ListHandle headers;
    Append(headers, "Content-Type: application/json");
    Append(headers, "Expect:");
    Append(headers, "Tidemark-Notice-Id: " + message.id);
    Append(headers, "Tidemark-Timestamp: " + std::to_string(timestamp));
    if (!channel.secret.empty()) {
      Append(headers, "Tidemark-Signature: " + Sign(channel.secret, timestamp, body));
    }
    transfer.Set(CURLOPT_PROTOCOLS_STR, "http,https");
    transfer.Set(CURLOPT_USERAGENT, "Tidemark");
    transfer.Set(CURLOPT_POST, 1L);
    transfer.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    transfer.Set(CURLOPT_POSTFIELDS, body.c_str());
    transfer.Set(CURLOPT_HTTPHEADER, headers.get());
    const long status = transfer.Perform();
    if (status < 200 || status > 299) {
      throw Error(ErrorCode::kUnavailable,
                  transfer.Doing() + ": it answered " + std::to_string(status));
    }
  }

  void Mail(Transfer& transfer, const OpenChannel& channel, const Message& message) {
    const std::string mail = RenderMail(message, channel.sender, channel.recipients, clock_.Now());
    const std::string sender = "<" + channel.sender + ">";
    ListHandle recipients;
    for (const std::string& recipient : channel.recipients) {
      Append(recipients, "<" + recipient + ">");
    }
    transfer.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    transfer.Set(CURLOPT_MAIL_FROM, sender.c_str());
    transfer.Set(CURLOPT_MAIL_RCPT, recipients.get());
    transfer.Set(CURLOPT_USE_SSL,
                 static_cast<long>(channel.username.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (!channel.username.empty()) {
      transfer.Set(CURLOPT_USERNAME, channel.username.c_str());
      transfer.Set(CURLOPT_PASSWORD, channel.secret.Reveal().c_str());
    }
    transfer.SetUpload(mail);
    transfer.Perform();
  }

  const CurlLibrary library_;
  const TransportOptions options_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Transport> MakeCurlTransport(const TransportOptions& options, const Clock& clock) {
  return std::make_unique<CurlTransport>(options, clock);
}

}  // namespace tidemark::notify
