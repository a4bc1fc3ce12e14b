#include "notify/message.h"

#include <array>

#include <fmt/core.h>

#include "base/bytes.h"
#include "codec/codec.h"

namespace tidemark::notify {
namespace {

// Bytes of the well-formed UTF-8 sequence at the front (RFC 3629); 0 when there is none.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const bool wrong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
                     (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90);
  return wrong ? 0 : length;
}

// Every ill-formed byte becomes U+FFFD: reasons may quote what a server said.
std::string MakeWellFormed(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    out += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string QuoteJson(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : MakeWellFormed(text)) {
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

void AddMember(std::string& object, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    object += (object.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":" + QuoteJson(value);
  }
}

// RFC 5322, 3.3.
std::string MailDate(Instant now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000",
                     kDays.at(std::chrono::weekday(day).c_encoding()),
                     static_cast<unsigned>(date.day()),
                     kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<int>(date.year()),
                     time.hours().count(),
                     time.minutes().count(),
                     time.seconds().count());
}

std::string MailText(const Message& message) {
  std::string text = message.event + "\n\n";
  const auto add = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      text += fmt::format("{:9} {}\n", name, value);
    }
  };
  add("at", FormatInstant(message.at));
  add("project", message.project);
  add("cluster", message.cluster);
  add("object", message.object);
  add("reason", message.reason);
  add("notice", message.id);
  return MakeWellFormed(text);
}

// Lines of 76 characters: RFC 2045, 6.8.
std::string MailBase64(std::string_view text) {
  constexpr std::size_t kLine = 76;
  const std::string encoded = Base64Encode(AsBytes(text));
  std::string lines;
  for (std::size_t at = 0; at < encoded.size(); at += kLine) {
    lines += encoded.substr(at, kLine) + "\r\n";
  }
  return lines;
}

// A cluster name of ours is ASCII without spaces; nothing else gets into a header.
std::string Subject(const Message& message) {
  std::string subject = "[Tidemark] " + message.event;
  return message.cluster.empty() ? subject : subject + ": cluster " + message.cluster;
}

}  // namespace

Message MessageOf(const domain::Notice& notice) {
  const domain::Event& event = notice.event;
  return {.id = domain::NoticeId(notice),
          .event = std::string(domain::NoticeName(event.kind)),
          .at = event.at,
          .project = event.project.ToString(),
          .cluster = event.cluster,
          .object = event.object,
          .reason = event.reason};
}

std::string RenderJson(const Message& message) {
  std::string object = "{";
  AddMember(object, "id", message.id);
  AddMember(object, "event", message.event);
  AddMember(object, "at", FormatInstant(message.at));
  AddMember(object, "projectId", message.project);
  AddMember(object, "clusterName", message.cluster);
  AddMember(object, "objectId", message.object);
  AddMember(object, "reason", message.reason);
  return object + "}";
}

std::string Sign(const Secret& secret, std::int64_t timestamp, std::string_view body) {
  const std::string text = std::to_string(timestamp) + "." + std::string(body);
  return "sha256=" + HexEncode(codec::HmacSha256(AsBytes(secret.Reveal()), AsBytes(text)));
}

std::string RenderMail(const Message& message,
                       const std::string& sender,
                       const std::vector<std::string>& recipients,
                       Instant now) {
  std::string to;
  for (const std::string& recipient : recipients) {
    to += (to.empty() ? "<" : ",\r\n <") + recipient + ">";
  }
  return "From: Tidemark <" + sender + ">\r\nTo: " + to + "\r\nDate: " + MailDate(now) +
         "\r\nMessage-ID: <" + message.id + "@tidemark.invalid>\r\nSubject: " + Subject(message) +
         "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
         "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         MailBase64(MailText(message));
}

}  // namespace tidemark::notify
