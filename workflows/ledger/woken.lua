-- Prelude of claim.lua and waking.lua: whether an item's earlier wake-up may still wait in a queue.
--
-- A wake-up that nobody took after 5 min is taken for lost. So is one after 1 s while all queues are empty, for then it
-- is in none of them; that second covers the moment between our note and the push to the queue. One from the future
-- comes from a clock that was set back, and tells nothing.

local function waits(woken, queues, item, now)
  local sent = redis.pcall('HGET', woken, item)
  if type(sent) == 'table' then redis.call('DEL', woken) end
  sent = type(sent) == 'string' and tonumber(sent)
  if not sent then return false end
  local age = now - sent
  -- Not so for what is not a number at all, which Lua reads from 'nan'.
  if not (age >= 0 and age <= 300000000) then return false end
  if age <= 1000000 then return true end
  if not queues.length then
    queues.length = 0
    for _, name in ipairs(queues) do
      local length = redis.pcall('LLEN', name)
      queues.length = queues.length + (type(length) == 'number' and length or 0)
    end
  end
  return queues.length > 0
end
