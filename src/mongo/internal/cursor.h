#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mongo/internal/handles.h"

// Cursors of the driver. `doing` begins the message of what they throw (ThrowDriverError).
namespace tidemark::mongo {

// The id of the server that is the primary now: a cursor lives on the server that made it, so its
// getMore has to go to the same one. Blocks, at most the server selection timeout.
std::uint32_t SelectPrimary(mongoc_client_t* client, const std::string& doing);

void ThrowIfFailed(mongoc_cursor_t* cursor, const std::string& doing);
// As above, for a question to which the server may say no.
void ThrowIfLost(mongoc_cursor_t* cursor, const std::string& doing);

// The documents of a command that answered with a cursor (listCollections, listIndexes). Blocks.
std::vector<Bytes> ReadCursor(mongoc_client_t* client,
                              std::uint32_t server,
                              const Reply& reply,
                              const std::string& doing);

}  // namespace tidemark::mongo
