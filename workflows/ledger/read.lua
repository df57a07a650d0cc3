-- Reads records, all at one instant, and that instant.
--
-- KEYS  1 answer of a commit id (a name that is never written where none is asked for)   2.. records
-- Returns {seconds, microseconds, answer or nil, record or nil...}; a record is '<version>:<JSON>'

local time = redis.call('TIME')
local answer = {time[1], time[2]}
-- In parts, because Lua's stack holds 8,000 arguments and a digest may read more.
for first = 1, #KEYS, 1000 do
  for _, value in ipairs(redis.call('MGET', unpack(KEYS, first, math.min(first + 999, #KEYS)))) do
    answer[#answer + 1] = value
  end
end
return answer
