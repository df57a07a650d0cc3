-- Prelude: whether an audit entry that a client saw before still stands there. A server that took over without it, or that an older
-- copy was put on, has none of that number or another one: each link is made over all entries before it.

local function fields_of(entry)
  local fields = {}
  for i = 1, #entry[2] - 1, 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return fields
end

-- `seen`: '<number>:<link>', or '' where nothing was seen; `newest`: the same of the newest entry, as it stands there.
local function still_there(seen, newest, stream)
  if seen == '' or newest == seen then return true end
  local number, link = string.match(seen, '^(%d+):(%x+)$')
  local id = number .. '-0'
  -- A stream that was put aside holds what was seen in it; see strange.lua.
  for _, name in ipairs({stream, stream .. ':strange'}) do
    local found = redis.pcall('XRANGE', name, id, id)
    if not found.err and found[1] and fields_of(found[1])['link'] == link then return true end
  end
  return false
end
