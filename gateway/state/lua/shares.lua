-- Share limits between replicas: gateway/state/shares.py says what a claim and a share are.
-- calendar.lua, with bucket(), comes before this.
--
-- KEYS: replicas (when each was seen), short (when each limit ran short), then one hash per claim:
--   u<ms>  used in the bucket that begins then
--   r<id>  what a replica last said: used, ceiling, held, seen (ms), sequence number
--   since  when the count began (ms);  seeded  there once the past is counted
-- ARGV[1]: replica, sequence number, share_ms, short_ms, forget_ms, claims; all in MessagePack.
--   A claim: name, most, span, rolling_ms, used, keep, need, want, held, base, anew, points, past.
-- Times are Redis's own, in whole milliseconds. Amounts stay below 2^53.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local asked = cmsgpack.unpack(ARGV[1])
local replica, sequence, share_ms, short_ms, forget_ms = unpack(asked, 1, 5)

local function text(number) return string.format('%.0f', number) end

-- What a hash holds: amounts by bucket, and what the others have. Forgets what is over.
local function read(key, span, rolling)
  local seen = {buckets = {}, used = 0, others = 0, spare = 0}
  local flat = redis.call('HGETALL', key)
  local oldest = bucket(span, rolling, now - rolling)  -- its bucket is the first that counts
  if span == 'rolling' and select(2, bucket(span, rolling, oldest)) <= now then oldest = oldest + 1 end
  for at = 1, #flat, 2 do
    local field, value = flat[at], flat[at + 1]
    local kind = string.sub(field, 1, 1)
    if kind == 'u' then
      local start, amount = tonumber(string.sub(field, 2)), tonumber(value)
      if start < oldest then
        redis.call('HDEL', key, field)
      else
        seen.buckets[start] = amount
        seen.used = seen.used + amount
      end
    elseif kind == 'r' then
      local used, ceiling, held, at_ms, number = unpack(cmsgpack.unpack(value))
      if field == 'r' .. replica then
        seen.own = {used = used, ceiling = ceiling, number = number}
      elseif at_ms < now - forget_ms then
        redis.call('HDEL', key, field)
      elseif at_ms >= now - share_ms then
        seen.others = seen.others + math.max(0, ceiling - used)
        seen.spare = seen.spare + math.max(0, ceiling - used - held)
      end
    elseif field == 'since' then
      seen.since = tonumber(value)
    else
      seen.seeded = true
    end
  end
  return seen
end

local function count(key, seen, span, rolling, age_ms, amount)
  local start, leaves = bucket(span, rolling, now - math.floor(age_ms))
  if amount > 0 and span ~= 'now' and (not leaves or leaves > now) then
    redis.call('HINCRBY', key, 'u' .. text(start), text(amount))
    seen.buckets[start] = (seen.buckets[start] or 0) + amount
    seen.used = seen.used + amount
  end
end

-- Milliseconds until *lack* of what is used has left, and until all has; nil: never.
local function leaving(seen, span, rolling, lack)
  local starts, newest = {}, nil
  for start, amount in pairs(seen.buckets) do
    if amount > 0 then
      starts[#starts + 1] = start
      newest = math.max(newest or start, start)
    end
  end
  if not newest then return nil, 0 end
  local _, leaves = bucket(span, rolling, newest)
  if not leaves then return nil, nil end
  if lack <= 0 then return nil, leaves - now end
  table.sort(starts)
  for _, start in ipairs(starts) do
    lack = lack - seen.buckets[start]
    if lack <= 0 then
      local _, frees = bucket(span, rolling, start)
      return frees - now, leaves - now
    end
  end
  return nil, leaves - now
end

redis.call('ZADD', KEYS[1], now, replica)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - share_ms)
redis.call('PEXPIRE', KEYS[1], forget_ms)
local replicas = redis.call('ZCARD', KEYS[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - short_ms)

local shares = {}
for index, claim in ipairs(asked[6]) do
  local name, most, span, rolling, used, keep, need, want, held, base, anew, points, past = unpack(claim, 1, 13)
  local key = KEYS[2 + index]
  local seen = read(key, span, rolling)
  if not seen.since then
    seen.since = now
    redis.call('HSET', key, 'since', text(now))
  end
  if past and not seen.seeded then
    for _, point in ipairs(past) do count(key, seen, span, rolling, point[1], point[2]) end
    redis.call('HSET', key, 'seeded', 1)
    seen.seeded = true
  end
  local ceiling, lack, free, lost = keep, 0, 0, false
  if seen.own and seen.own.number >= sequence then  -- overtaken by a later report
    ceiling, used = seen.own.ceiling, seen.own.used
    free = most - seen.used - seen.others - (ceiling - used)
  elseif not seen.own and base > 0 and not anew then
    lost = true
  else
    local counted = seen.own and seen.own.used or base
    for _, point in ipairs(points) do
      count(key, seen, span, rolling, point[1], point[2] - counted)
      counted = math.max(counted, point[2])
    end
    free = most - seen.used - seen.others - (keep - used)
    local got = math.max(0, math.min(need - keep, free))
    lack = need - keep - got
    free = free - got
    ceiling = keep + got
    if lack > 0 then
      redis.call('ZADD', KEYS[2], now, name)
      redis.call('PEXPIRE', KEYS[2], forget_ms)
    elseif free > 0 and not redis.call('ZSCORE', KEYS[2], name) then
      local comfort = math.max(0, math.min(want - need, math.floor(free / (replicas + 1))))
      ceiling, free = ceiling + comfort, free - comfort
    end
    redis.call('HSET', key, 'r' .. replica, cmsgpack.pack({used, ceiling, held, now, sequence}))
  end
  local _, leaves = bucket(span, rolling, now)
  local rest = leaves and leaves - now or span == 'lifetime' and 400 * DAY or 0
  redis.call('PEXPIRE', key, text(rest + forget_ms))
  local frees, resets = leaving(seen, span, rolling, lack - math.min(free, 0))
  shares[index] = {
    ceiling, seen.used, seen.others, seen.spare, free, lost, now - seen.since,
    seen.seeded == true, frees or -1, resets or -1,
  }
end

return cmsgpack.pack({shares, replicas, redis.call('ZRANGE', KEYS[2], 0, -1)})
