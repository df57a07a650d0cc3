-- Reads records, all at one instant, and that instant. Preceded by seen_before.lua.
--
-- KEYS  1 audit head   2 audit stream   3 answer of a commit id (a name that is never written where none is asked for)
--       4.. records, then indexes
-- ARGV  1 '<number>:<link>' of the newest audit entry that the client ever saw; '' where it saw none
--       2.. for each index: how many of its first members, or, below 0, of its last ones
-- Returns {seconds, microseconds, audit head or nil, 1 where what the client saw still stands there | 0, answer or nil,
--         record or nil..., {member, score...} or nil...}; nil is an index that is none. A record is '<version>:<JSON>', and '!<type>' where a key is no string: MGET says of
--         that what it says of nothing, and nobody shall take it for nothing

local time = redis.call('TIME')
-- The head with the first of the others: each command in here counts for the server, and most reads are of a few records.
local head
local answer = {time[1], time[2], false, 0}
local missing, places = {}, {}
-- In parts, because Lua's stack holds 8,000 arguments and a digest may read more.
local records = #KEYS - (#ARGV - 1)
for first = 3, records, 1000 do
  local found = redis.call('MGET', KEYS[1], unpack(KEYS, first, math.min(first + 999, records)))
  if first == 3 then head = found[1] end
  for place = 2, #found do
    local value, name = found[place], KEYS[first + place - 2]
    answer[#answer + 1] = value
    -- Where no answer is asked for, nothing stands under that name.
    if not value and not (first + place == 5 and string.sub(name, -1) == ':') then
      missing[#missing + 1], places[#places + 1] = name, #answer
    end
  end
end
answer[3], answer[4] = head, still_there(ARGV[1], head, KEYS[2]) and 1 or 0
for first = 1, #missing, 1000 do
  local last = math.min(first + 999, #missing)
  if redis.call('EXISTS', unpack(missing, first, last)) > 0 then
    for i = first, last do
      local found = redis.call('TYPE', missing[i]).ok
      if found ~= 'none' then answer[places[i]] = '!' .. found end
    end
  end
end
for place = 2, #ARGV do
  local count = tonumber(ARGV[place])
  local range = {KEYS[records + place - 1], 0, math.abs(count) - 1, 'WITHSCORES'}
  if count < 0 then range[5] = 'REV' end
  local found = redis.pcall('ZRANGE', unpack(range))
  answer[#answer + 1] = not found.err and found
end
return answer
