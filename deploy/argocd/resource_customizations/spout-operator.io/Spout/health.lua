-- The health of a Spout. Its conditions follow kstatus: Stalled is present only while a person has to act.
local hs = {status = "Progressing", message = "Waiting for the operator to observe the Spout"}
if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "The Spout is being deleted"
  return hs
end
if obj.status == nil or obj.status.conditions == nil then
  return hs
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  hs.message = "Waiting for the operator to observe the change"
  return hs
end
local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  hs.status = "Degraded"
  hs.message = conditions.Stalled.message
elseif ready ~= nil and ready.status == "True" then
  hs.status = ready.reason == "Suspended" and "Suspended" or "Healthy"
  hs.message = ready.message
elseif ready ~= nil then
  -- Workers that crash or do not come up and user code that fails can recover without a change of the Spout, so the Spout is not stalled.
  -- It is unhealthy all the same.
  local unhealthy = {
    PipelineCrashing = true, ImagePullBackOff = true, Unschedulable = true, CrashLoopBackOff = true,
    CreateContainerConfigError = true, UserCodeFailing = true, OutputRefused = true
  }
  hs.status = unhealthy[ready.reason] and "Degraded" or "Progressing"
  hs.message = ready.message
end
return hs
