-- Reads records, all at one instant, and that instant.
--
-- KEYS  1 answer of a commit id (a name that is never written where none is asked for)   2.. records
-- Returns {seconds, microseconds, answer or nil, record or nil...}; a record is '<version>:<JSON>', and '!<type>' where a key
--         is no string: MGET says of that what it says of nothing, and nobody shall take it for nothing

local time = redis.call('TIME')
local answer = {time[1], time[2]}
local missing, places = {}, {}
-- In parts, because Lua's stack holds 8,000 arguments and a digest may read more.
for first = 1, #KEYS, 1000 do
  for place, value in ipairs(redis.call('MGET', unpack(KEYS, first, math.min(first + 999, #KEYS)))) do
    answer[#answer + 1] = value
    if not value then
      missing[#missing + 1], places[#places + 1] = KEYS[first + place - 1], #answer
    end
  end
end
for first = 1, #missing, 1000 do
  local last = math.min(first + 999, #missing)
  if redis.call('EXISTS', unpack(missing, first, last)) > 0 then
    for i = first, last do
      local found = redis.call('TYPE', missing[i]).ok
      if found ~= 'none' then answer[places[i]] = '!' .. found end
    end
  end
end
return answer
