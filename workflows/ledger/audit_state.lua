-- What the ledger says of its audit log, all of it at one instant.
--
-- KEYS  1 audit stream   2 audit head   3 audit private
-- Returns {number in the head, link in the head, last number of the stream, how many private parts, what cannot be read...},
-- or an error where our user may not look: that is no fault of the log.

local answer = {'0', '', '0', '0'}
local function problem(words) answer[#answer + 1] = words end

-- In a script the servers say it in different words; each has one of these.
local function is_denied(found)
  local words = type(found) == 'table' and found.err or ''
  return string.find(words, 'ACL failure') or string.find(words, 'NOPERM') or string.find(words, "can't access")
end
local denied = 'NOPERM this user may not look at the audit log'

local found = redis.pcall('XINFO', 'STREAM', KEYS[1])
if is_denied(found) then return redis.error_reply(denied) end
if found.err then
  if redis.call('EXISTS', KEYS[1]) == 1 then problem('What stands in the place of the log is none.') end
else
  for i = 1, #found, 2 do
    if found[i] == 'last-generated-id' then answer[3] = string.match(found[i + 1], '^%d+') end
  end
end
local head = redis.pcall('GET', KEYS[2])
if is_denied(head) then return redis.error_reply(denied) end
local number, link = string.match(type(head) == 'string' and head or '', '^(%d+):(%x+)$')
if number then
  answer[1], answer[2] = number, link
elseif head then
  problem("The ledger's own count of its entries cannot be read.")
end
local words = redis.pcall('HLEN', KEYS[3])
if is_denied(words) then return redis.error_reply(denied) end
if type(words) == 'table' then problem('The names and words cannot be read.') else answer[4] = tostring(words) end
return answer
