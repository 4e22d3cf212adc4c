"""A client that shares no line with Rapport: Python's gRPC, which learns the API from the running services by reflection."""

import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Service:
    """The methods of one service at one address, by name."""

    def __init__(self, address, name):
        self.channel = grpc.insecure_channel(address)
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        self.methods = {method.name: method for method in pool.FindServiceByName(name).methods}
        self.name = name

    def call(self, name, **fields):
        method = self.methods[name]
        request, answer = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
        kind = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = kind(f"/{self.name}/{name}", request_serializer=request.SerializeToString, response_deserializer=answer.FromString)
        return call(request(**fields), timeout=20)


def main(customer_address, interaction_address):
    customers = Service(customer_address, "rapport.customer.v1.CustomerService")
    interactions = Service(interaction_address, "rapport.interaction.v1.InteractionService")
    feed = Service(customer_address, "rapport.customer.v1.CustomerFeedService")

    wanted = {"display_name": "Grace Hopper", "contact_points": [{"kind": 1, "value": "grace@example.test"}]}
    customer = customers.call("CreateCustomer", customer=wanted, request_id="foreign-1").customer
    again = customers.call("CreateCustomer", customer=wanted, request_id="foreign-1").customer
    assert again == customer, "a repeated request id answers the same"

    try:
        customers.call("GetCustomer", customer_id="nobody")
        raise AssertionError("an id that is none is refused")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        assert any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata()), "an error has its details"

    meeting = {"customer_id": customer.customer_id, "function": 1, "purpose": 1, "kind": 1, "setting": 2, "channel": 1, "direction": 1}
    opened = interactions.call("CreateInteraction", interaction=meeting).interaction
    assert opened.customer_id == customer.customer_id

    for answer in feed.call("WatchEvents", start={"earliest": True}, consumer="foreign"):
        if answer.WhichOneof("item") == "event" and answer.event.meta.subject_id == customer.customer_id:
            assert answer.event.meta.type == "customer.created", answer.event.meta.type
            break
    print("a foreign client is served")


main(*sys.argv[1:])
