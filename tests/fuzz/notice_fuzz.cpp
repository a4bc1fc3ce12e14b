// Anything may be given as a channel's URL, as a mail address, or be in a failure's reason: only
// Error{kInvalidArgument} may come out, what is shown and what is sent stays in its lines.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "notify/address.h"
#include "notify/message.h"

namespace {

bool IsOneLine(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

void FuzzUrl(tidemark::domain::ChannelKind kind, const std::string& text) {
  try {
    TIDEMARK_CHECK(IsOneLine(tidemark::notify::CheckUrl(kind, text)));
  } catch (const tidemark::Error& error) {
    TIDEMARK_CHECK(error.code() == tidemark::ErrorCode::kInvalidArgument);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  FuzzUrl(tidemark::domain::ChannelKind::kWebhook, text);
  FuzzUrl(tidemark::domain::ChannelKind::kEmail, text);
  if (tidemark::notify::IsMailbox(text)) {
    TIDEMARK_CHECK(IsOneLine(text) && text.find_first_of("<> ,") == std::string::npos);
  }
  const tidemark::notify::Message message{.id = "1", .event = "TEST", .reason = text};
  TIDEMARK_CHECK(IsOneLine(tidemark::notify::RenderJson(message)));
  const std::string mail = tidemark::notify::RenderMail(message, "a@b", {"c@d"}, {});
  TIDEMARK_CHECK(mail.find("\r\n.") == std::string::npos);
  return 0;
}
